import { RealtimeError } from '@tutti/protocol'
import type { RedisAddress } from '../redis-address.ts'

/** What a node of a Cluster answers for a slot that is not its own, or not wholly. The command did not run. */
export interface Redirection extends RedisAddress {
  /** `MOVED`: for good. `ASK`: this once, while the slot moves. */
  kind: 'MOVED' | 'ASK'
  slot: number
}

const REDIRECTION = /^(MOVED|ASK) (\d+) (.*):(\d+)$/

/** Where a refused command should go instead, if Redis says so. A node that knows no name of another leaves out its host. */
export function redirectionOf(error: unknown): Redirection | undefined {
  const [, kind, slot, host, port] = REDIRECTION.exec(answerOf(error)) ?? []
  if ((kind !== 'MOVED' && kind !== 'ASK') || host === undefined) return undefined
  return { kind, slot: Number(slot), host, port: Number(port) }
}

/** Whether a Cluster refused only this slot, for now: says nothing of the connection. */
export const isSlotOnTheMove = (error: unknown): boolean => /^(MOVED|ASK|TRYAGAIN)\b/.test(answerOf(error))

/** Whether a node refused to serve because too much of its Cluster is missing. */
export const isClusterDown = (error: unknown): boolean => answerOf(error).startsWith('CLUSTERDOWN')

const answerOf = (error: unknown): string =>
  error instanceof RealtimeError && error.cause instanceof Error && error.cause.name === 'ReplyError' ? error.cause.message : ''
