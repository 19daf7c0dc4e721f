import type { DocumentStore, NewVersion, StoredUpdate } from '@tutti/documents/server'

/** A store of documents in memory, for tests of pages: it starts at once. */
export function memoryDocuments(): DocumentStore {
  const documents = new Map<string, { createdAt: Date; offset: number; text: string; updates: StoredUpdate[] }>()
  let saved = 0
  const versions: (NewVersion & { id: number; createdAt: Date })[] = []
  const create: DocumentStore['create'] = async ({ id }) => {
    if (documents.has(id)) return false
    documents.set(id, { createdAt: new Date(), offset: 0, text: '', updates: [] })
    return true
  }
  return {
    ready: Promise.resolve(),
    create,
    rename: async () => true,
    remove: async (id) => documents.delete(id),
    list: async () => [],
    load: async (id) => {
      const found = documents.get(id)
      return (
        found && {
          id,
          title: '',
          createdAt: found.createdAt,
          offset: found.offset,
          snapshot: undefined,
          snapshotOffset: 0,
          updates: found.updates.map(({ bytes }) => bytes),
        }
      )
    },
    updatesAfter: async (id, after) => documents.get(id)?.updates.filter(({ offset }) => offset > after) ?? [],
    textOf: async (id) => documents.get(id)?.text,
    append: async (batches) =>
      batches.map(({ document, previous, offset, bytes }) => {
        const found = documents.get(document)
        if (found?.offset !== previous) return false
        found.offset = offset
        found.updates.push({ previous, offset, bytes })
        return true
      }),
    saveSnapshot: async ({ document, text }) => {
      const found = documents.get(document)
      if (found) found.text = text
      return found !== undefined
    },
    history: async () => [],
    addVersion: async (version) => {
      saved += 1
      versions.push({ ...version, id: saved, createdAt: new Date() })
      return saved
    },
    versions: async (id, { limit = 100, before = Infinity } = {}) =>
      versions
        .filter((each) => each.document === id && each.id < before)
        .toReversed()
        .slice(0, limit),
    readVersion: async (id, version) => versions.find((each) => each.document === id && each.id === version)?.bytes,
    removeVersion: async (id, version) => {
      const place = versions.findIndex((each) => each.document === id && each.id === version)
      if (place >= 0) versions.splice(place, 1)
      return place >= 0
    },
    prune: async () => 0,
    close: async () => {},
  }
}
