/** An event that was acknowledged, at its place in the log. */
export interface PublishedEvent {
  readonly publisher: string
  readonly number: number
  readonly offset: number
}

/** What a subscriber received: an event, or a gap from an offset to another. */
export type SeenItem = PublishedEvent | { readonly gap: readonly [from: number, to: number] }

/** What the clients of one process recorded. */
export interface DurableHistory {
  readonly published: readonly PublishedEvent[]
  readonly seen: readonly { readonly subscriber: string; readonly items: readonly SeenItem[] }[]
  /** Publishes without an outcome, and refusals. */
  readonly unsettled: readonly string[]
}

/** The offset within its log, which has one lifetime in a run without a loss of data. */
export const offsetNumber = (text: string): number => Number.parseInt(text.split('-')[1] ?? '', 36)
