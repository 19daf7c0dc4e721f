import { schemaOf, type Schemas } from '@tutti/protocol'
import type { StateStore } from '@tutti/storage-driver/contract'
import { checkValue } from '../check-value.ts'

/**
 * A store that writes nothing that its schema refuses (X6). The store itself asks, at the moment at which it knows what a
 * patch or an increment makes of the newest value: a check before the write would judge another value than is stored.
 */
export function writingBySchema(store: StateStore, schemas: Schemas | undefined): StateStore['write'] {
  return (mutation, options) => {
    const { key } = mutation
    if (schemaOf(schemas, key) === undefined) return store.write(mutation, options)
    return store.write(mutation, { ...options, check: (value) => checkValue(schemas, key, value) })
  }
}
