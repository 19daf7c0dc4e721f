import type { Doc, Text } from 'yjs'

/** A document as the client of a side has it open, on a connection of its own. */
export interface BenchDocument {
  readonly doc: Doc
  readonly text: Text
  /** All edits are acknowledged. */
  isSynced(): boolean
  disconnect(): void
  connect(): void
  close(): void
}

/** Waits until something holds; fails after 30 s. */
export async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`Not within 30 s: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
