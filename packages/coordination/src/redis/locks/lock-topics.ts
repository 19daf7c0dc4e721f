import { RealtimeError } from '@tutti/protocol'
import { createDeferred } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import { confirmed } from '../confirmed.ts'
import type { RedisLayout } from '../redis-layout.ts'
import { parseLockRecord, type LockRecord } from './lock-record.ts'

/** How long a topic is followed after its last use, so that a lock that is taken again and again costs no subscription. */
const LINGER_MS = 10_000

const CONFIRMED = Promise.resolve()

/** The topics whose announcements reach this instance. */
export interface LockTopics {
  /** Follows a topic until `end`. `ready` rejects with `UNAVAILABLE` while Redis is away, or with `CLOSED`. */
  follow(topic: string): { readonly ready: Promise<void>; end(): void }
  close(): void
}

/** What topics need. */
export interface LockTopicsOptions {
  link: RedisLink
  layout: RedisLayout
  onRecord: (key: string, record: LockRecord) => void
  /** A message was dropped. */
  onError: (error: unknown) => void
}

interface Topic {
  readonly subscription: ReturnType<RedisLink['subscribe']>
  isConfirmed: boolean
  uses: number
  timer?: NodeJS.Timeout | undefined
}

/** Makes an empty set of topics. */
export function createLockTopics({ link, layout, onRecord, onError }: LockTopicsOptions): LockTopics {
  const topics = new Map<string, Topic>()
  const ended = createDeferred<never>()

  const receive = (message: string): void => {
    try {
      const end = message.indexOf('\n')
      const record = end === -1 ? undefined : parseLockRecord(message.slice(end + 1))
      if (record === undefined) throw new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message about a lock: it is malformed.' })
      onRecord(message.slice(0, end), record)
    } catch (error) {
      onError(error)
    }
  }
  const open = (name: string): Topic => {
    const known = topics.get(name)
    if (known !== undefined) return known
    const topic: Topic = { subscription: link.subscribe(layout.lockChannel(name), receive), isConfirmed: false, uses: 0 }
    topics.set(name, topic)
    topic.subscription.ready.then(
      () => {
        topic.isConfirmed = true
      },
      () => {},
    )
    return topic
  }

  return {
    follow: (name) => {
      const topic = open(name)
      topic.uses += 1
      clearTimeout(topic.timer)
      const ready = topic.isConfirmed ? CONFIRMED : Promise.race([confirmed(link, topic.subscription, ended.promise), ended.promise])
      ready.catch(() => {})
      let isOver = false
      return {
        ready,
        end: () => {
          if (isOver) return
          isOver = true
          topic.uses -= 1
          if (topic.uses > 0 || topics.get(name) !== topic) return
          topic.timer = setTimeout(() => {
            topics.delete(name)
            topic.subscription()
          }, LINGER_MS)
        },
      }
    },
    close: () => {
      ended.reject(new RealtimeError('CLOSED'))
      for (const { subscription, timer } of topics.values()) {
        clearTimeout(timer)
        subscription()
      }
      topics.clear()
    },
  }
}
