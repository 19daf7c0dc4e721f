import type { Link, ServerMessage, Transport } from '@tutti/client'
import type { Requests } from '@tutti/protocol'
import { emptyHistory, type LockHistory, type SeenHold, type SeenRequest } from './lock-history.ts'

/** Records what one client sends and receives about locks. */
export interface LockRecorder {
  /** Tries the transports in turn. */
  readonly transport: Transport
  /** The index of the transport that is in use. */
  readonly place: number | undefined
  /** The client never connects again; its open connection stays until it is lost. */
  stopReconnecting(): void
  unexpected(message: string): void
  /** Returns what was recorded since the last call, and the open grants. */
  takeHistory(): LockHistory
}

/** Makes the recorder of a client. `first`: the index of the first transport. */
export function createLockRecorder(client: string, transports: readonly Transport[], first: number): LockRecorder {
  let history = emptyHistory()
  const holds = new Map<string, SeenHold>()
  /** Grants that ended with the connection, by key. */
  const downs = new Map<string, NonNullable<SeenRequest['before']> & { readonly request: string | undefined }>()
  /** Requests that may be queued, by key: neither granted, refused, nor is their cancellation confirmed. */
  const open = new Map<string, Set<SeenRequest>>()
  /** The names of those at the end of a connection. */
  const interrupted = new Set<string>()
  const cancelled = new WeakSet<SeenRequest>()
  /** Grants that this connection has released: a reply that was on its way may still name one. */
  const released = new Set<number>()
  let next = first
  let place: number | undefined
  let isStopped = false

  const close = (request: SeenRequest | undefined): void => {
    if (request !== undefined) open.get(request.key)?.delete(request)
  }
  const grant = (key: string, token: number, request: SeenRequest | undefined): void => {
    const fromMs = Date.now()
    close(request)
    if (request !== undefined) [request.token, request.grantedMs] = [token, fromMs]
    // The cancellation ends this grant.
    if (holds.get(key)?.token === token || released.has(token) || (request !== undefined && cancelled.has(request))) return
    const hold: SeenHold = { client, key, token, request: request?.request, fromMs }
    holds.set(key, hold)
    history.holds.push(hold)
  }
  const end = (key: string, token: number, how: NonNullable<SeenHold['end']>): void => {
    const hold = holds.get(key)
    if (hold === undefined || hold.token !== token) return
    ;[hold.toMs, hold.end] = [Date.now(), how]
    holds.delete(key)
  }
  const lose = (): void => {
    place = undefined
    for (const hold of [...holds.values()]) {
      end(hold.key, hold.token, 'down')
      if (isStopped) hold.isDead = true
      downs.set(hold.key, { token: hold.token, request: hold.request, lostMs: Date.now() })
    }
    for (const request of [...open.values()].flatMap((requests) => [...requests])) interrupted.add(nameOf(request))
    open.clear()
    released.clear()
  }
  const acquire = ({ key, request: name }: Requests['lock:acquire']['payload']): SeenRequest => {
    const continues = interrupted.has(nameOf({ key, request: name })) || (open.get(key)?.size ?? 0) > 0
    const down = downs.get(key)
    downs.delete(key)
    // Another request ends the grant: the client has released it meanwhile.
    const before = down?.request === name ? down : undefined
    const request: SeenRequest = { client, key, request: name, sentMs: Date.now(), before, continues }
    history.requests.push(request)
    open.set(key, (open.get(key) ?? new Set<SeenRequest>()).add(request))
    return request
  }
  const settle = (request: SeenRequest, reply: object): void => {
    if ('token' in reply && typeof reply.token === 'number') return grant(request.key, request.token ?? reply.token, request)
    request.refusedMs = Date.now()
    if (!('waiting' in reply)) return close(request)
    request.queuedMs = request.refusedMs
  }
  const receive = (notice: ServerMessage, requests: ReadonlyMap<string, SeenRequest>): void => {
    if (notice.name === 'lock:granted') grant(notice.payload.key, notice.payload.token, requests.get(nameOf(notice.payload)))
    if (notice.name === 'lock:refused') close(requests.get(nameOf(notice.payload)))
    if (notice.name === 'lock:changed' && notice.payload.lost !== undefined) end(notice.payload.key, notice.payload.lost, 'lost')
  }

  return {
    get place() {
      return place
    },
    stopReconnecting: () => {
      isStopped = true
    },
    unexpected: (message) => void history.unexpected.push(`${client}: ${message}`),
    takeHistory: () => {
      const taken = history
      history = { ...emptyHistory(), holds: [...holds.values()] }
      return taken
    },
    transport: (handshake, listener) => {
      const index = next++ % transports.length
      const connect = transports[index]
      if (connect === undefined) throw new Error('There is no transport.')
      /** Of this connection, by key and id. */
      const requests = new Map<string, SeenRequest>()
      const link = connect(handshake, {
        onMessage: (notice) => {
          if (notice.name === 'server:hello') place = index
          receive(notice, requests)
          listener.onMessage(notice)
        },
        onClose: (reason) => {
          lose()
          if (!isStopped) listener.onClose(reason)
        },
      })
      const request: Link['request'] = (name, payload, answer) => {
        if (answer === undefined) return link.request(name, payload)
        const seen = name === 'lock:acquire' && isAcquire(payload) ? acquire(payload) : undefined
        if (seen !== undefined && isAcquire(payload)) requests.set(nameOf(payload), seen)
        const ended = name === 'lock:cancel' && isAcquire(payload) ? requests.get(nameOf(payload)) : undefined
        if (ended !== undefined) cancelled.add(ended)
        if (name === 'lock:release' && 'token' in payload) {
          released.add(payload.token)
          end(payload.key, payload.token, 'released')
        }
        link.request(name, payload, (reply) => {
          if (seen !== undefined && reply.ok) settle(seen, reply)
          if (reply.ok) close(ended)
          if (name.startsWith('storage:') && isBound(payload)) {
            const { key, token } = payload.lock
            if (!reply.ok && reply.error.code === 'LOCK_LOST') history.refusedWrites += 1
            if (reply.ok && 'version' in reply && typeof reply.version === 'number')
              history.writes.push({ client, key, token, version: reply.version })
          }
          answer(reply)
        })
      }
      return {
        request,
        close: () => {
          lose()
          link.close()
        },
      }
    },
  }
}

const nameOf = ({ key, request }: { key: string; request: string }): string => `${request} ${key}`
const isAcquire = (payload: object): payload is Requests['lock:acquire']['payload'] => 'key' in payload && 'request' in payload
const isBound = (payload: object): payload is { lock: { key: string; token: number } } => 'lock' in payload && payload.lock !== undefined
