import { useRealtimeEvents } from '@tutti/vue'
import { computed, ref, shallowReactive, watch, type ComputedRef, type Ref } from 'vue'
import { CHAT_ROOMS, createId, isChatEvent, roomOf, type ChatEvent, type ChatRoom, type DemoEvents } from '../shared-state.ts'

/** A message as shown. */
export interface ChatMessage extends ChatEvent {
  readonly isOwn: boolean
  /** When it arrived here. */
  readonly at: Date
}

/** The chat of this page. */
export interface Chat {
  readonly room: Ref<ChatRoom>
  readonly messages: ComputedRef<readonly ChatMessage[]>
  /** The number of unread messages, by room. */
  readonly unread: Readonly<Record<ChatRoom, number>>
  /** Sends a message to the room; rejects if it could not be sent. */
  send(name: string, text: string): Promise<void>
}

/** More than users scroll back. */
const KEPT = 200

/** Receives the messages of all rooms by one pattern, and keeps them while the page is open. */
export function useChat(): Chat {
  const events = useRealtimeEvents<DemoEvents>({ includeSelf: true })
  const me = createId()
  const room = ref<ChatRoom>('lobby')
  const received = shallowReactive<Record<ChatRoom, readonly ChatMessage[]>>({ lobby: [], rehearsal: [], random: [] })
  const unread = shallowReactive<Record<ChatRoom, number>>({ lobby: 0, rehearsal: 0, random: 0 })

  events.subscribe('chat:*', (data, { channel }) => {
    const where = roomOf(channel)
    if (where === undefined || !isChatEvent(data)) return
    received[where] = [...received[where], { ...data, isOwn: data.from === me, at: new Date() }].slice(-KEPT)
    if (where !== room.value) unread[where]++
  })
  watch(room, (now) => (unread[now] = 0))

  return {
    room,
    messages: computed(() => received[room.value]),
    unread,
    send: (name, text) => events.publish(`chat:${room.value}`, { id: createId(), from: me, name, text }),
  }
}

/** The rooms, in the order of their display. */
export const rooms = CHAT_ROOMS
