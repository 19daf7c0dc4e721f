import { useRealtimeConnection } from '@tutti/vue'
import { useRealtimeChannel, type UseRealtimeChannelReturn } from '@tutti/vue/durable'
import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { isChatEvent, type ChatEvent, type ChatRoom } from '../shared-state.ts'

/** A message as shown. */
export interface ChatMessage extends ChatEvent {
  /** Unique in its room. */
  readonly key: string
  readonly isOwn: boolean
  /** Not yet in the log of the room. */
  readonly isPending: boolean
}

/** Messages of others that were written while this page was offline. */
export interface MissedMessages {
  /** The key of the first one. */
  readonly key: string
  readonly count: number
}

/** One room of the chat. */
export interface ChatRoomLog extends Pick<UseRealtimeChannelReturn<ChatEvent>, 'loadMore' | 'publish'> {
  readonly messages: ComputedRef<readonly ChatMessage[]>
  /** Those of the last time offline, until the next own message. */
  readonly missed: ComputedRef<MissedMessages | undefined>
  /** Messages of others, written since the page was opened, that have not been shown. */
  readonly unread: ComputedRef<number>
  /** Older messages may be in the log. */
  readonly hasEarlier: ComputedRef<boolean>
  forgetMissed(): void
}

/** Messages that a page begins with, and that it adds at a time. */
export const PAGE_SIZE = 30

/** Follows a room. `me`: the id of the own messages; `isShown`: whether the user sees the room now. */
export function useChatRoom(room: ChatRoom, me: Readonly<Ref<string>>, isShown: () => boolean): ChatRoomLog {
  const { records: all, pending, hasMore, loadMore, publish } = useRealtimeChannel<ChatEvent>(`chat:${room}`, { rewind: PAGE_SIZE })
  const { status } = useRealtimeConnection()
  const records = computed(() => all.value.filter(({ data }) => isChatEvent(data)))
  const newest = (): string => records.value.at(-1)?.offset ?? ''
  const byOthersAfter = (offset: string) =>
    records.value.slice(records.value.findLastIndex((record) => record.offset === offset) + 1).filter(({ data }) => data.from !== me.value)

  /** The newest message when the connection was lost, and when it was back. */
  const away = shallowRef<{ after: string; until: number }>()
  watch(status, (now, before) => {
    if (before === 'connected') away.value = { after: newest(), until: Infinity }
    else if (now === 'connected' && away.value) away.value = { ...away.value, until: Date.now() }
  })

  /** The newest message that was shown. */
  const seen = shallowRef('')
  watch([records, isShown], () => (seen.value = isShown() ? newest() : seen.value), { immediate: true })
  // Those that the page began with are not new.
  const openedAt = Date.now()

  return {
    messages: computed(() => [
      ...records.value.map(({ offset, data }) => ({ ...data, key: offset, isOwn: data.from === me.value, isPending: false })),
      ...pending.value.map(({ id, data }) => ({ ...data, key: id, isOwn: true, isPending: true })),
    ]),
    missed: computed(() => {
      if (away.value === undefined) return undefined
      const { after, until } = away.value
      const missed = byOthersAfter(after).filter(({ data }) => data.at <= until)
      return missed[0] && { key: missed[0].offset, count: missed.length }
    }),
    unread: computed(() => byOthersAfter(seen.value).filter(({ data }) => data.at > openedAt).length),
    hasEarlier: computed(() => hasMore.value && records.value.length >= PAGE_SIZE),
    loadMore,
    publish,
    forgetMissed: () => (away.value = status.value === 'connected' ? undefined : away.value),
  }
}
