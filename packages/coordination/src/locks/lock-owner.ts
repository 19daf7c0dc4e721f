import type { LockRequest } from './lock-contract.ts'

/** Names the holder across its connections. Without a `clientId` it is the connection: then there is no `:`. */
export const lockOwner = ({ user, clientId, connectionId }: Pick<LockRequest, 'user' | 'clientId' | 'connectionId'>): string =>
  clientId === undefined ? encodeURIComponent(connectionId) : `${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`

/** Whether the holder can be recognized on another connection. */
export const isStableOwner = (owner: string): boolean => owner.includes(':')
