import { isJsonObject } from '@tutti/protocol'
import { vi } from 'vitest'
import type { PubSub, PubSubOptions } from '../contract.ts'

/** A relay of one's own for each test, and what the suite must be able to do to it. */
export interface PubSubHarness {
  /** A new instance on the relay. The suite disposes of it. */
  connect(options: PubSubOptions): PubSub
  /** Puts text on a channel, as a program that knows nothing of the frame would. */
  inject(channel: string, text: string): Promise<void>
  /** Takes the relay away from all instances. */
  interrupt(): Promise<void>
  /** Brings it back. */
  restore(): Promise<void>
  /** After the instances are disposed of. */
  close(): Promise<void>
}

/** What the tests of the suite stand on. */
export interface Fixture {
  readonly harness: PubSubHarness
  /** A new instance, ready. */
  connect(options?: PubSubOptions): Promise<PubSub>
}

/** What a subscription heard, as parsed JSON. */
export interface Heard {
  readonly messages: Record<string, unknown>[]
  /** Settles when so many were heard; more is for the test to notice. */
  reaches(count: number): Promise<void>
  unsubscribe(): void
}

/** Subscribes, in force when it settles. */
export async function listen(pubsub: PubSub, channel: string): Promise<Heard> {
  const messages: Record<string, unknown>[] = []
  const unsubscribe = pubsub.subscribe(channel, (text) => messages.push(parseObject(text)))
  await unsubscribe.ready
  return { messages, unsubscribe, reaches: (count) => until(() => messages.length >= count) }
}

/** Settles when the instance is ready. */
export const ready = (pubsub: PubSub): Promise<void> => until(() => pubsub.status === 'ready')

/** Settles when it holds; fails after 20 s, which is generous for a busy machine. */
export const until = async (holds: () => boolean): Promise<void> => void (await vi.waitUntil(holds, { timeout: 20_000, interval: 5 }))

/** An `onError` that keeps what it is told. */
export function collectErrors(): { errors: { error: unknown; stage: string; channel: string | undefined }[] } & Required<PubSubOptions> {
  const errors: { error: unknown; stage: string; channel: string | undefined }[] = []
  return { errors, onError: (error, { stage, channel }) => void errors.push({ error, stage, channel }) }
}

/** Throws `SyntaxError` for what is no JSON object, as a handler does that cannot read its message. */
function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (isJsonObject(value)) return value
  throw new SyntaxError('no object')
}
