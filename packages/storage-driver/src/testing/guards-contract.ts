import { expect, test } from 'vitest'
import type { Mutation, WriteGuard } from '../contract.ts'
import { freshAuthor, freshKey, record, type UseStore } from './store-under-test.ts'

const guardOf = (refusal: 'lost' | 'locked' | undefined): WriteGuard => ({ token: 1, always: false, refusal: () => refusal })

/** Writes that need a lock. */
export function guardsContract(use: UseStore): void {
  test('[L2] a write whose lock has ended is refused, and nothing is announced', async () => {
    const { store, other } = use()
    const key = freshKey()
    const announced = await record(other, key)
    const writes: Mutation[] = [
      { op: 'set', key, value: 'lost' },
      { op: 'patch', key, patch: { lost: true } },
      { op: 'increment', key, by: 1 },
      { op: 'remove', key },
    ]
    await store.write({ op: 'set', key, value: 'kept' }, { guard: guardOf(undefined) })
    for (const [refusal, code] of [
      ['lost', 'LOCK_LOST'],
      ['locked', 'LOCKED'],
    ] as const) {
      for (const write of writes) await expect(store.write(write, { guard: guardOf(refusal) })).rejects.toMatchObject({ code })
    }
    await store.write({ op: 'patch', key, patch: { a: 1 }, author: freshAuthor() }, { guard: guardOf(undefined) })
    expect((await announced.count(2)).map(({ value }) => value)).toMatchObject(['kept', expect.anything()])
    announced.stop()
  })
}
