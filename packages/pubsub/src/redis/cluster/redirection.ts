import { RealtimeError } from '@tutti/protocol'
import type { RedisAddress } from '../redis-address.ts'

/** The error of a Cluster node for a slot that it does not serve, or not completely. The command did not run. */
export interface Redirection extends RedisAddress {
  /** `MOVED`: permanently. `ASK`: for this command, while the slot moves. */
  kind: 'MOVED' | 'ASK'
  slot: number
}

const REDIRECTION = /^(MOVED|ASK) (\d+) (.*):(\d+)$/

/**
 * The new target of a refused command, if the error is a redirection. A node that does not know the other's name omits the
 * host.
 */
export function redirectionOf(error: unknown): Redirection | undefined {
  const [, kind, slot, host, port] = REDIRECTION.exec(answerOf(error)) ?? []
  if ((kind !== 'MOVED' && kind !== 'ASK') || host === undefined) return undefined
  return { kind, slot: Number(slot), host, port: Number(port) }
}

/** Whether a Cluster refused only this slot, for now. It does not indicate a failure of the connection. */
export const isSlotOnTheMove = (error: unknown): boolean => /^(MOVED|ASK|TRYAGAIN)\b/.test(answerOf(error))

/** Whether a node refused to serve because too many slots of its Cluster are unassigned. */
export const isClusterDown = (error: unknown): boolean => answerOf(error).startsWith('CLUSTERDOWN')

const answerOf = (error: unknown): string =>
  error instanceof RealtimeError && error.cause instanceof Error && error.cause.name === 'ReplyError' ? error.cause.message : ''
