import { RealtimeError } from '@tutti/protocol'
import { getSchema } from '@tutti/protocol/schemas'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { Verdict } from '../../authorization/authorization-cache.ts'
import { defineHandler } from '../../connection/handler.ts'
import { readingOf } from '../reads-of.ts'
import type { StateSubscribers } from '../state-subscribers.ts'
import type { WritesUnderWay } from '../writes-under-way.ts'

/** `storage:get`: the current entry. */
export const getHandler = (subscribers: StateSubscribers, underWay: WritesUnderWay) =>
  defineHandler(
    'storage:get',
    getSchema,
    ({ key }) => [readingOf(key)],
    async ({ key }, { connection, decide, isCurrent }, [verdict]) => {
      const [entry] = await Promise.all([readOne(subscribers.reads, key), underWay.answered(connection, (written) => written === key)])
      subscribers.know(key, entry.version)
      // The right to it may have been taken away while it was read.
      if (verdict !== undefined && !isCurrent(verdict)) assertAllowed(await decide(readingOf(key)))
      return entry
    },
  )

function assertAllowed(verdict: Verdict): void {
  if ('refusal' in verdict) throw verdict.refusal
}

/** The entry of one key. */
export async function readOne(store: Pick<StateStore, 'read'>, key: string) {
  const [entry] = await store.read([key])
  if (entry === undefined) throw new RealtimeError('INTERNAL')
  return entry
}
