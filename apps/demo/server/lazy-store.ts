import type { DocumentStore } from '@tutti/documents/server'

/** A store that is opened by its first query. */
export function lazyStore(open: () => DocumentStore): DocumentStore {
  const ready = Promise.withResolvers<void>()
  let opened: DocumentStore | undefined
  const store = (): DocumentStore => {
    if (opened !== undefined) return opened
    opened = open()
    ready.resolve(opened.ready)
    return opened
  }
  // Each call reports the failure.
  ready.promise.catch(() => {})
  return {
    ready: ready.promise,
    create: (document) => store().create(document),
    rename: (id, title) => store().rename(id, title),
    remove: (id) => store().remove(id),
    list: (options) => store().list(options),
    load: (id) => store().load(id),
    updatesAfter: (id, offset, maxBytes) => store().updatesAfter(id, offset, maxBytes),
    textOf: (id) => store().textOf(id),
    append: (batches) => store().append(batches),
    saveSnapshot: (snapshot) => store().saveSnapshot(snapshot),
    history: (id, options) => store().history(id, options),
    addVersion: (version) => store().addVersion(version),
    versions: (id, options) => store().versions(id, options),
    readVersion: (id, version) => store().readVersion(id, version),
    removeVersion: (id, version) => store().removeVersion(id, version),
    prune: (olderThanMs) => store().prune(olderThanMs),
    close: async () => opened?.close(),
  }
}
