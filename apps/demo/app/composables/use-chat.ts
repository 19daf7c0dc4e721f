import { useRealtimeEvents } from '@tutti/vue'
import { computed, ref, shallowReactive, watch, type ComputedRef, type Ref } from 'vue'
import { CHAT_ROOMS, createId, isChatEvent, roomOf, type ChatEvent, type ChatRoom, type DemoEvents } from '../shared-state.ts'

/** A message as it is shown. */
export interface ChatMessage extends ChatEvent {
  readonly isOwn: boolean
  /** When it arrived here. */
  readonly at: Date
}

/** The chat of this page. */
export interface Chat {
  readonly room: Ref<ChatRoom>
  readonly messages: ComputedRef<readonly ChatMessage[]>
  /** How many messages one has not seen, by room. */
  readonly unread: Readonly<Record<ChatRoom, number>>
  /** Tells the room; rejects where it could not be told. */
  send(name: string, text: string): Promise<void>
}

/** More than anybody scrolls back. */
const KEPT = 200

/** Hears all rooms with one pattern, and keeps what it heard as long as the page is open. */
export function useChat(): Chat {
  const events = useRealtimeEvents<DemoEvents>({ includeSelf: true })
  const me = createId()
  const room = ref<ChatRoom>('lobby')
  const heard = shallowReactive<Record<ChatRoom, readonly ChatMessage[]>>({ lobby: [], rehearsal: [], random: [] })
  const unread = shallowReactive<Record<ChatRoom, number>>({ lobby: 0, rehearsal: 0, random: 0 })

  events.subscribe('chat:*', (data, { channel }) => {
    const where = roomOf(channel)
    if (where === undefined || !isChatEvent(data)) return
    heard[where] = [...heard[where], { ...data, isOwn: data.from === me, at: new Date() }].slice(-KEPT)
    if (where !== room.value) unread[where]++
  })
  watch(room, (now) => (unread[now] = 0))

  return {
    room,
    messages: computed(() => heard[room.value]),
    unread,
    send: (name, text) => events.publish(`chat:${room.value}`, { id: createId(), from: me, name, text }),
  }
}

/** The rooms, in the order in which they are shown. */
export const rooms = CHAT_ROOMS
