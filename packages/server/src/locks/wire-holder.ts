import type { LockHolder } from '@tutti/coordination/contract'
import type { WireHolder } from '@tutti/protocol'

/** The holder of a lock as it is sent. */
export const toWireHolder = ({ user, info = null }: LockHolder): WireHolder => ({ user, info })
