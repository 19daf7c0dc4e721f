import type { RealtimeSchema } from '@tutti/protocol'
import { schemaOf } from '@tutti/protocol/internal'
import type { Mutation, StateStore, WriteGuard, WriteResult } from '@tutti/storage-driver/contract'
import { checkValue } from '../check-value.ts'

/** Writes to the store, unless the value violates the schema of its key (X6). */
export type ValidatedWrite = (mutation: Mutation, guard?: WriteGuard) => Promise<WriteResult>

/**
 * Makes the write of one server. The store itself calls the schema, at the moment at which it knows what a patch or an
 * increment makes of the newest value: a check before the write would judge another value than is stored.
 */
export function createValidatedWrite(store: Pick<StateStore, 'write'>, schemas: RealtimeSchema): ValidatedWrite {
  if (schemas.state === undefined && schemas.rooms === undefined) return (mutation, guard) => store.write(mutation, guard && { guard })
  return (mutation, guard) => {
    const { key } = mutation
    if (schemaOf(schemas, 'state', key) === undefined) return store.write(mutation, guard && { guard })
    return store.write(mutation, { check: (value) => checkValue(schemas, 'state', key, value), guard })
  }
}
