import type { ConnectBenchClient } from '../sides/bench-client.ts'

/** Deliveries that were due, that arrived, and that arrived once more. */
export interface Deliveries {
  expected: number
  delivered: number
  doubled: number
}

/** Connected clients of one side and what they can do. */
export interface Load {
  /** Called by name from the process that measures. */
  readonly steps: Readonly<Record<string, (...args: never[]) => unknown>>
  /** All deliveries so far, but for those of steps that overload the side on purpose. */
  readonly deliveries: Readonly<Deliveries>
  close(): void
}

/** Where a load connects to. */
export interface LoadContext {
  connect: ConnectBenchClient
  urls: readonly string[]
}

/** The instance at an index: 0 is the one that is written to. */
export function urlAt({ urls }: LoadContext, index: number): string {
  const url = urls[index % urls.length]
  if (url === undefined) throw new Error('The side has no instance.')
  return url
}
