import type { JsonValue } from '@tutti/protocol'
import type { Source } from './source.ts'
import type { StateSnapshot } from './state-contract.ts'
import { createSource } from './writable-source.ts'

/** What a snapshot is made from, `stored` being without the default. */
export type SnapshotParts = Omit<StateSnapshot<unknown>, 'value'> & { readonly stored: JsonValue | undefined }

/** The snapshots of one handle. */
export interface Snapshots {
  readonly source: Source<StateSnapshot<unknown>>
  /** Looks again; where nothing differs the snapshot stays the same object. */
  refresh(): void
}

/** Makes the snapshots of a handle; `initial` is shown where nothing is stored (S10). */
export function createSnapshots(look: () => SnapshotParts, initial: unknown, onThrow: (error: unknown) => void): Snapshots {
  const toSnapshot = ({ stored, ...rest }: SnapshotParts): StateSnapshot<unknown> => ({
    value: stored === undefined ? initial : stored,
    ...rest,
  })
  const { source, show } = createSource(toSnapshot(look()), onThrow)
  return {
    source,
    refresh: () => {
      const before = source.current
      const now = toSnapshot(look())
      // The same value stays the same object, so that nobody renders again for an acknowledgement.
      const next = JSON.stringify(now.value) === JSON.stringify(before.value) ? { ...now, value: before.value } : now
      const values = Object.values(before)
      if (Object.values(next).some((part, index) => part !== values[index])) show(next)
    },
  }
}
