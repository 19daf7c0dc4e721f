import { equalJson, type JsonValue } from '@tutti/protocol'
import type { Source } from './source.ts'
import type { StateSnapshot } from './state-contract.ts'
import { createSource } from './writable-source.ts'

/** What a snapshot is made from; `stored` is without the default. */
export type SnapshotParts = Omit<StateSnapshot<unknown>, 'value'> & { stored: JsonValue | undefined }

/** The snapshots of one handle. */
export interface Snapshots {
  readonly source: Source<StateSnapshot<unknown>>
  /** Looks again; where nothing differs the snapshot stays the same object. */
  refresh(): void
}

/** Makes the snapshots of a handle; `initial` is shown where nothing is stored (S10). */
export function createSnapshots(look: () => SnapshotParts, initial: unknown, onThrow: (error: unknown) => void): Snapshots {
  let parts = look()
  const { source, show } = createSource(toSnapshot(parts, initial), onThrow)
  return {
    source,
    refresh: () => {
      const next = look()
      // The same value stays the same object, so that nobody renders again for an acknowledgement.
      if (next.stored !== undefined && parts.stored !== undefined && equalJson(next.stored, parts.stored)) next.stored = parts.stored
      if (sameParts(next, parts)) return
      parts = next
      show(toSnapshot(parts, initial))
    },
  }
}

const toSnapshot = ({ stored, ...rest }: SnapshotParts, initial: unknown): StateSnapshot<unknown> => ({
  value: stored === undefined ? initial : stored,
  ...rest,
})

const sameParts = (a: SnapshotParts, b: SnapshotParts): boolean =>
  a.stored === b.stored &&
  a.loading === b.loading &&
  a.pending === b.pending &&
  a.error === b.error &&
  a.version === b.version &&
  a.isDirty === b.isDirty
