import { documentVersions, type DocumentChange, type DocumentVersion, type DocumentVersions, type Page } from '@tutti/documents/versions'
import { toError } from '@tutti/protocol/internal'
import { computed, shallowReadonly, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type ShallowRef } from 'vue'
import { useRealtimeContext } from '../realtime-context.ts'

/** The version history of a document, in a component. */
export interface UseDocumentVersionsReturn extends Pick<DocumentVersions, 'read'> {
  /** Named versions, newest first, as of the last `refresh`. */
  readonly versions: ComputedRef<readonly DocumentVersion[]>
  /** The users that changed the document, and when, newest first, as of the last `refresh`. */
  readonly changes: ComputedRef<readonly DocumentChange[]>
  /** Older versions follow: see `loadMore`. */
  readonly hasMore: ComputedRef<boolean>
  /** Rows are being loaded. */
  readonly loading: Readonly<ShallowRef<boolean>>
  /** Why the rows could not be loaded, until they are. */
  readonly error: Readonly<ShallowRef<Error | undefined>>
  /** Loads the newest rows. Never rejects: see `error`. */
  refresh(): Promise<void>
  /** Loads older versions. Never rejects: see `error`. */
  loadMore(): Promise<void>
  /** Names the state of the document, once the server has all edits of this client. Rejects if it is refused. */
  save(name: string): Promise<number>
  /** Gives the document the content of a version, by a new edit. Rejects if it is refused. */
  restore(version: number): Promise<void>
  /** Removes a version. Rejects if it is refused. */
  remove(version: number): Promise<void>
}

/**
 * The version history of a document: `refresh` loads it, at first and whenever it is shown. A changed id begins with an empty one.
 *
 * @throws {RealtimeError} `INVALID_DOCUMENT`.
 *
 * @example
 * const { versions, refresh, save, restore } = useDocumentVersions(() => `notes:${id.value}`)
 */
export function useDocumentVersions(id: MaybeRefOrGetter<string>): UseDocumentVersionsReturn {
  const { client } = useRealtimeContext()
  const history = computed(() => documentVersions(client, toValue(id)))
  const versions = shallowRef<Page<DocumentVersion>>({ rows: [], hasMore: false })
  const changes = shallowRef<readonly DocumentChange[]>([])
  const loading = shallowRef(false)
  const error = shallowRef<Error>()

  /** Loads one after another, so that an older reply never replaces a newer one. */
  let last = Promise.resolve()
  const load = (run: (of: DocumentVersions) => Promise<() => void>): Promise<void> => {
    const of = history.value
    return (last = last.then(() => loadOf(of, run)))
  }
  /** Shows what was loaded, unless the id has changed meanwhile. */
  const loadOf = async (of: DocumentVersions, run: (of: DocumentVersions) => Promise<() => void>): Promise<void> => {
    if (of !== history.value) return
    loading.value = true
    try {
      const show = await run(of)
      if (of !== history.value) return
      show()
      error.value = undefined
    } catch (thrown) {
      if (of === history.value) error.value = toError(thrown)
    } finally {
      if (of === history.value) loading.value = false
    }
  }
  const refresh = (): Promise<void> =>
    load(async (of) => {
      const [newest, made] = await Promise.all([of.list(), of.changes()])
      return () => {
        versions.value = newest
        changes.value = made.rows
      }
    })
  watch(
    history,
    () => {
      last = Promise.resolve()
      versions.value = { rows: [], hasMore: false }
      changes.value = []
      loading.value = false
      error.value = undefined
    },
    { flush: 'sync' },
  )
  return {
    versions: computed(() => versions.value.rows),
    changes: computed(() => changes.value),
    hasMore: computed(() => versions.value.hasMore),
    loading: shallowReadonly(loading),
    error: shallowReadonly(error),
    refresh,
    loadMore: () =>
      load(async (of) => {
        const { rows } = versions.value
        const older = await of.list({ before: rows.at(-1)?.id })
        return () => (versions.value = { rows: [...rows, ...older.rows], hasMore: older.hasMore })
      }),
    save: async (name) => {
      const saved = await history.value.save(name)
      await refresh()
      return saved
    },
    read: (version) => history.value.read(version),
    restore: async (version) => {
      await history.value.restore(version)
      await refresh()
    },
    remove: async (version) => {
      await history.value.remove(version)
      await refresh()
    },
  }
}
