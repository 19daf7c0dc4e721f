import { isJsonObject } from '@tutti/protocol/internal'
import { vi } from 'vitest'
import type { PubSub, PubSubOptions } from '../contract.ts'

/** A separate relay for each test, and the operations that the suite needs. */
export interface PubSubHarness {
  /** A new instance on the relay, disposed of by the suite. */
  connect(options: PubSubOptions): PubSub
  /** Publishes text without the frame, like a program that does not know it. */
  inject(channel: string, text: string): Promise<void>
  /** Makes the relay unavailable for all instances. */
  interrupt(): Promise<void>
  /** Makes it available again. */
  restore(): Promise<void>
  /** After the instances are disposed of. */
  close(): Promise<void>
}

/** The shared functions of the suite's tests. */
export interface Fixture {
  readonly harness: PubSubHarness
  /** A new instance, ready. */
  connect(options?: PubSubOptions): Promise<PubSub>
}

/** The received messages of a subscription, as parsed JSON. */
export interface ReceivedMessages {
  readonly messages: Record<string, unknown>[]
  /** Settles when this number of messages was received. The test itself must detect additional ones. */
  reaches(count: number): Promise<void>
  unsubscribe(): void
}

/** Subscribes. Settles when the subscription is confirmed. */
export async function listen(pubsub: PubSub, channel: string): Promise<ReceivedMessages> {
  const messages: Record<string, unknown>[] = []
  const unsubscribe = pubsub.subscribe(channel, (text) => messages.push(parseObject(text)))
  await unsubscribe.ready
  return { messages, unsubscribe, reaches: (count) => until(() => messages.length >= count) }
}

/** Settles when the instance is ready. */
export const ready = (pubsub: PubSub): Promise<void> => until(() => pubsub.status === 'ready')

/** Settles when the condition is true; fails after 20 s, which is sufficient on a busy machine. */
export const until = async (holds: () => boolean): Promise<void> => void (await vi.waitUntil(holds, { timeout: 20_000, interval: 5 }))

/** An `onError` that records its calls. */
export function collectErrors(): { errors: { error: unknown; stage: string; channel: string | undefined }[] } & Required<PubSubOptions> {
  const errors: { error: unknown; stage: string; channel: string | undefined }[] = []
  return { errors, onError: (error, { stage, channel }) => void errors.push({ error, stage, channel }) }
}

/** Throws `SyntaxError` if the text is not a JSON object, like a handler that cannot parse its message. */
function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (isJsonObject(value)) return value
  throw new SyntaxError('no object')
}
