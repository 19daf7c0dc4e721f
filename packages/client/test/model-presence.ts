import type { JsonValue, PresenceChange, Requests, WireMember } from '@tutti/protocol'
import type { ModelLink } from './model-server.ts'

type PresenceName = `presence:${'join' | 'update' | 'leave' | 'subscribe' | 'unsubscribe' | 'cursor'}`

export type PresenceRequest = { [Name in PresenceName]: { name: Name; payload: Requests[Name]['payload'] } }[PresenceName]

/** The presence of a server in memory: one notice for each change, without a tick. */
export interface ModelPresence {
  /** The members of a room, by the link's `clientId`. */
  members(room: string): WireMember[]
  /** Subscriptions of all links: rooms, with `#` those of the number only. */
  subscriptions(): string[]
  handle(link: ModelLink, request: PresenceRequest): object
  /** Another client joins, changes its info or leaves (`info` undefined). */
  change(room: string, id: string, info: JsonValue | undefined, user?: string): void
  /** Another client moves its cursor. */
  move(room: string, id: string, data: JsonValue): void
  /** Replies to subscriptions state that members may be missing for so long; 0 for not. */
  settle(ms: number): void
  /** The link's membership is removed, as after `graceMs`. */
  forget(link: ModelLink): void
}

export function createModelPresence(openLinks: () => ModelLink[]): ModelPresence {
  const rooms = new Map<string, Map<string, WireMember>>()
  const subscribed = new WeakMap<ModelLink, Set<string>>()
  const namesOf = (link: ModelLink): Set<string> => subscribed.get(link) ?? new Set()
  const clientOf = ({ handshake }: ModelLink): string => String(handshake['clientId'])
  const membersOf = (room: string): Map<string, WireMember> => rooms.get(room) ?? new Map()
  let joins = 0
  let settlingMs = 0

  const tell = (change: Omit<PresenceChange, 'count'>): void => {
    const { room } = change
    const count = membersOf(room).size
    for (const link of openLinks()) {
      if (namesOf(link).has(room)) link.notify({ name: 'presence:changed', payload: { ...change, count } })
      if (namesOf(link).has(`#${room}`)) link.notify({ name: 'presence:count', payload: { room, count } })
    }
  }
  const set = (room: string, key: string, member: WireMember): void => {
    const isNew = !membersOf(room).has(key)
    rooms.set(room, membersOf(room).set(key, member))
    tell({ room, [isNew ? 'joined' : 'updated']: [member] })
  }
  const remove = (room: string, key: string): void => {
    const member = membersOf(room).get(key)
    if (member === undefined) return
    membersOf(room).delete(key)
    tell({ room, left: [member.id] })
  }
  const move = (room: string, id: string, data: JsonValue): void => {
    for (const link of openLinks()) {
      if (namesOf(link).has(room)) link.notify({ name: 'presence:cursors', payload: { room, cursors: { [id]: data } } })
    }
  }

  return {
    members: (room) => [...membersOf(room).values()],
    subscriptions: () => openLinks().flatMap((link) => [...namesOf(link)]),
    change: (room, id, info, user = '') => (info === undefined ? remove(room, id) : set(room, id, { id, user, info })),
    move,
    settle: (ms) => {
      settlingMs = ms
    },
    forget: (link) => {
      for (const room of rooms.keys()) remove(room, clientOf(link))
    },
    handle: (link, { name, payload }) => {
      const { room } = payload
      const key = clientOf(link)
      const own = membersOf(room).get(key)
      switch (name) {
        case 'presence:join': {
          const id = own?.id ?? `m${++joins}`
          set(room, key, { id, user: 'me', info: payload.info ?? null })
          return { id }
        }
        case 'presence:update':
          if (own !== undefined) set(room, key, { ...own, info: payload.info })
          return {}
        case 'presence:leave':
          remove(room, key)
          return {}
        case 'presence:subscribe':
          subscribed.set(link, namesOf(link).add(payload.count ? `#${room}` : room))
          return {
            ...(payload.count ? {} : { members: [...membersOf(room).values()] }),
            ...(settlingMs > 0 && { settlingMs }),
            count: membersOf(room).size,
          }
        case 'presence:unsubscribe':
          namesOf(link).delete(payload.count ? `#${room}` : room)
          return {}
        case 'presence:cursor':
          if (own !== undefined) move(room, own.id, payload.data)
          return {}
      }
    },
  }
}
