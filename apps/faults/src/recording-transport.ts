import type { Link, Transport } from '@tutti/client'
import type { Reply, RequestName, Requests } from '@tutti/protocol'
import type { Effect, Operation } from '@tutti/test-kit'

type Mutable = { -readonly [Name in keyof Operation]: Operation[Name] }

/** Records the messages of one client. */
export interface Recorder {
  readonly operations: Operation[]
  readonly transport: Transport
  /** Unanswered mutations: how often each was sent, and its last result. */
  unanswered(): string[]
}

/**
 * Uses the transports in turn, from `first`, so that a client that lost one instance tries another, and records all mutations.
 * `now` returns the times of the record.
 */
export function recordingTransport(
  client: string,
  transports: readonly Transport[],
  first: number,
  now: () => number = Date.now,
): Recorder {
  const operations = new Map<string, Mutable>()
  const tries = new Map<string, string[]>()
  let next = first

  const sent = (name: RequestName, payload: Requests[RequestName]['payload']): Mutable | undefined => {
    const effect = effectOf(name, payload)
    if (effect === undefined || !('key' in payload) || !('mutation' in payload)) return undefined
    const { key, mutation } = payload
    const id = `${client}#${mutation?.number}`
    const operation = operations.get(id) ?? { id, client, key, effect, startMs: now(), outcome: { kind: 'unknown' } }
    operations.set(id, operation)
    return operation
  }

  return {
    get operations() {
      return [...operations.values()]
    },
    unanswered: () =>
      [...operations.values()]
        .filter(({ outcome }) => outcome.kind === 'unknown')
        .map(({ id, key }) => `${id} of ${key}: ${tries.get(id)?.join(', ')}`),
    transport: (handshake, listener) => {
      const open = transports[next++ % transports.length]
      if (open === undefined) throw new Error('No transport.')
      const link = open(handshake, listener)
      const request: Link['request'] = (name, payload, answer) => {
        const operation = sent(name, payload)
        const log = (what: string): void => {
          if (operation !== undefined) tries.set(operation.id, [...(tries.get(operation.id) ?? []).slice(-8), `${what} at ${now()}`])
        }
        log('sent')
        link.request(name, payload, (reply) => {
          log(reply.ok ? 'done' : reply.error.code)
          if (operation !== undefined) settle(operation, reply, now)
          answer?.(reply)
        })
      }
      return { request, close: () => link.close() }
    },
  }
}

function settle(operation: Mutable, reply: Reply, now: () => number): void {
  const { outcome } = operation
  if (outcome.kind !== 'unknown') return
  if (reply.ok) {
    if (!('version' in reply) || typeof reply.version !== 'number') return
    const value = 'value' in reply && typeof reply.value === 'number' ? reply.value : undefined
    operation.outcome = { kind: 'done', version: reply.version, value }
  } else {
    const { code, retryable } = reply.error
    // After these the client sends it again, or its outcome is unknown.
    if (retryable || code === 'OUTCOME_UNKNOWN' || code === 'STALE_MUTATION' || code === 'INTERNAL') return
    operation.outcome = { kind: 'refused', code }
  }
  operation.endMs = now()
}

function effectOf(name: RequestName, payload: object): Effect | undefined {
  const ifVersion = 'ifVersion' in payload && typeof payload.ifVersion === 'number' ? payload.ifVersion : undefined
  if (name === 'storage:remove') return { op: 'remove', ifVersion }
  if (name === 'storage:set' && isSet(payload)) return { op: 'set', value: payload.value, ifVersion }
  if (name === 'storage:increment' && isIncrement(payload)) return { op: 'increment', by: payload.by, initial: payload.initial }
  if (name === 'storage:patch' && isPatch(payload)) return { op: 'patch', patch: payload.patch }
  return undefined
}

const isSet = (payload: object): payload is Requests['storage:set']['payload'] => 'value' in payload
const isIncrement = (payload: object): payload is Requests['storage:increment']['payload'] => 'by' in payload
const isPatch = (payload: object): payload is Requests['storage:patch']['payload'] => 'patch' in payload
