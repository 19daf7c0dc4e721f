import { createRealtimeClient, socketTransport, type Link, type Transport } from '@tutti/client'
import { presence } from '@tutti/client/presence'
import { seededRandom } from '@tutti/test-kit'
import type { Membership, PresenceHistory, PresenceView, SeenLeave } from './presence-history.ts'

/** Behaviour of one client. */
export interface PresenceClientPlan {
  name: string
  seed: number
  room: string
  urls: string[]
  /** Index of the first url to try. */
  first: number
  /** Multiplies the delays before attempts to reconnect: less than 1 where the grace is shorter than its default. */
  backoffScale: number
}

/** A client that is a member of a room and observes it. */
export interface PresenceClient {
  /** The index of the url that it is connected to. */
  readonly place: number | undefined
  /** It never connects again; its open connection stays until it is lost. */
  stopReconnecting(): void
  /** Closes its connection. */
  close(): Promise<void>
  view(): PresenceView
  /** Returns what was recorded since the last call. */
  takeHistory(): PresenceHistory
}

/** Opens a client, which joins its room. */
export function openPresenceClient({ name, seed, room, urls, first, backoffScale }: PresenceClientPlan): PresenceClient {
  const random = seededRandom(seed)
  const transports = urls.map((url) => socketTransport({ url }))
  let memberships: Membership[] = []
  let leaves: SeenLeave[] = []
  let current: Membership | undefined
  let last: Membership | undefined
  let isJoining = false
  let shown = new Set<string>()
  let next = first
  let place: number | undefined
  let isStopped = false
  let isFirstReply = false

  const lose = (): void => {
    if (current !== undefined) current.toMs = Date.now()
    if (isJoining && last !== undefined) last.triedMs = Date.now()
    isJoining = false
    current = undefined
    place = undefined
  }
  const transport: Transport = (handshake, listener) => {
    const index = next++ % transports.length
    const open = transports[index]
    if (open === undefined) throw new Error('There is no url.')
    const onClose: typeof listener.onClose = (reason) => {
      lose()
      // A client that is closed by its own connection does not try again.
      if (!isStopped) listener.onClose(reason)
    }
    const link = open(handshake, { onMessage: listener.onMessage, onClose })
    const request: Link['request'] = (message, payload, answer) => {
      if (message === 'presence:leave' && current !== undefined) current.isClosed = true
      if (answer === undefined) return link.request(message, payload)
      if (message === 'presence:join') isJoining = true
      link.request(message, payload, (reply) => {
        if (message === 'presence:join') isJoining = false
        if (message === 'presence:join' && reply.ok && 'id' in reply && typeof reply.id === 'string') {
          current = { client: name, room, id: reply.id, fromMs: Date.now() }
          last = current
          place = index
          memberships.push(current)
        }
        isFirstReply = message === 'presence:subscribe'
        answer(reply)
        isFirstReply = false
      })
    }
    const close = (): void => {
      lose()
      link.close()
    }
    return { request, close }
  }

  const client = createRealtimeClient({ transport, random: () => random.next() * backoffScale })
  const handle = presence(client, room, { info: { name } })
  const stop = handle.subscribe(({ members }) => {
    const ids = new Set(members.map(({ id }) => id))
    for (const id of shown) if (!ids.has(id)) leaves.push({ observer: name, room, id, atMs: Date.now(), isFirstReply })
    shown = ids
  })

  return {
    get place() {
      return place
    },
    stopReconnecting: () => {
      isStopped = true
    },
    close: async () => {
      stop()
      await client.close()
    },
    view: () => {
      const { error, joined } = handle.current
      const status = `${client.connection.current.status}, ${joined ? 'joined' : 'not joined'}${error === undefined ? '' : `, ${String(error)}`}`
      return { client: name, room, ownId: current?.id, status, ids: [...shown].sort() }
    },
    takeHistory: () => {
      const taken = { memberships, leaves }
      memberships = current === undefined ? [] : [current]
      leaves = []
      return taken
    },
  }
}
