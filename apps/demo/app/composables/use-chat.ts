import { computed, ref, type ComputedRef, type Ref } from 'vue'
import type { ChatRoom } from '../shared-state.ts'
import { PAGE_SIZE, useChatRoom, type ChatMessage, type ChatRoomLog, type MissedMessages } from './use-chat-room.ts'
import type { Visitor } from './use-visitor.ts'

/** The chat of this page. */
export interface Chat {
  readonly room: Ref<ChatRoom>
  /** Of the room. */
  readonly messages: ComputedRef<readonly ChatMessage[]>
  readonly missed: ComputedRef<MissedMessages | undefined>
  readonly hasEarlier: ComputedRef<boolean>
  /** The number of unread messages, by room. */
  readonly unread: ComputedRef<Readonly<Record<ChatRoom, number>>>
  /** Loads older messages of the room. */
  showEarlier(): Promise<void>
  /** Sends a message to the room, now or when the page is online again. Rejects if it is refused. */
  send(text: string): Promise<void>
}

/** The messages of all rooms. They are stored, so a page that was offline receives what it missed. */
export function useChat({ id, info }: Visitor): Chat {
  const room = ref<ChatRoom>('lobby')
  const open = (name: ChatRoom): ChatRoomLog => useChatRoom(name, id, () => room.value === name)
  const logs: Readonly<Record<ChatRoom, ChatRoomLog>> = { lobby: open('lobby'), rehearsal: open('rehearsal'), random: open('random') }
  const current = computed(() => logs[room.value])
  return {
    room,
    messages: computed(() => current.value.messages.value),
    missed: computed(() => current.value.missed.value),
    hasEarlier: computed(() => current.value.hasEarlier.value),
    unread: computed(() => ({
      lobby: logs.lobby.unread.value,
      rehearsal: logs.rehearsal.unread.value,
      random: logs.random.unread.value,
    })),
    showEarlier: () => current.value.loadMore(PAGE_SIZE),
    send: async (text) => {
      current.value.forgetMissed()
      await current.value.publish({ from: id.value, name: info.value?.name ?? '', text, at: Date.now() })
    },
  }
}
