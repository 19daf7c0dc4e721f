import { applyPatch, incremented, type JsonObject, type JsonValue } from '@tutti/protocol'
import { valueOf } from '@tutti/protocol/internal'
import { expect, test } from 'vitest'
import type { Mutation, StateStore } from '../contract.ts'
import { freshAuthor, freshKey, record, type UseStore } from './store-under-test.ts'

const VALUES: readonly JsonValue[] = [0, 1.5, 'text', null, { a: 1 }, { a: { b: [] }, c: null }, [], { text: 'x'.repeat(60) }]
const PATCHES: readonly JsonObject[] = [{}, { a: null }, { a: 2 }, { a: { b: null, d: 1 } }, { e: [] }]

/** For random operations in any order, the store behaves like a few lines of JavaScript (S1, S6, S7, S8, S10, S12). */
export function randomContract(use: UseStore): void {
  test('[S1] [S6] [S7] [S8] [S10] [S12] random writes end like the model', async () => {
    const { store, other } = use()
    const seed = Math.floor(Math.random() * 2 ** 31)
    const random = mulberry(seed)
    const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)]
    for (let round = 0; round < 10; round++) {
      const key = freshKey()
      const authors = [freshAuthor(0), freshAuthor(0)]
      const announced = await record(other, key)
      let model: { version: number; value: JsonValue | undefined } = { version: 0, value: undefined }
      let changes = 0
      for (let step = 0; step < 25; step++) {
        const author = pick(authors)
        if (author !== undefined) author.number += 1
        const ifVersion = pick([undefined, undefined, 0, model.version])
        const mutation = pick<Mutation>([
          { op: 'set', key, value: pick(VALUES) ?? null, ifVersion },
          { op: 'remove', key, ifVersion },
          { op: 'increment', key, by: pick([1, 0.1]) ?? 1, initial: 3 },
          { op: 'patch', key, patch: pick(PATCHES) ?? {} },
        ])
        if (mutation === undefined || author === undefined) continue
        const numbered: Mutation = random() < 0.5 ? { ...mutation, author: { ...author } } : mutation
        const expected = expectedOf(numbered, model)
        const outcome = await outcomeOf(pick([store, other]) ?? store, numbered)
        const where = `seed ${seed}, round ${round}, step ${step}, ${JSON.stringify(numbered)}`
        if (typeof expected === 'string') expect(outcome, where).toBe(expected)
        else {
          expect(outcome, where).toBeGreaterThan(model.version)
          model = { version: Number(outcome), value: expected.value }
          changes += 1
        }
        if (numbered.author !== undefined) expect(await outcomeOf(pick([store, other]) ?? store, numbered), where).toBe(outcome)
        const [entry] = await other.read([key])
        expect(entry?.version, where).toBe(model.version)
        expect(entry && valueOf(entry), where).toEqual(model.value)
      }
      const all = await announced.count(changes)
      let cached: JsonValue | undefined
      for (const change of all)
        cached = change.removed === true ? undefined : change.patch === undefined ? change.value : applyPatch(cached, change.patch)
      expect(cached, `seed ${seed}, round ${round}`).toEqual(model.value)
      announced.stop()
    }
  })
}

function expectedOf(
  mutation: Mutation,
  model: { version: number; value: JsonValue | undefined },
): { value: JsonValue | undefined } | string {
  const { version, value } = model
  if ('ifVersion' in mutation && mutation.ifVersion !== undefined) {
    const matches = mutation.ifVersion === 0 ? value === undefined : mutation.ifVersion === version
    if (!matches) return 'CONFLICT'
  }
  switch (mutation.op) {
    case 'set':
      return { value: mutation.value }
    case 'remove':
      return { value: undefined }
    case 'patch':
      return { value: applyPatch(value, mutation.patch) }
    case 'increment': {
      const sum = incremented(value ?? mutation.initial, mutation.by)
      return sum === undefined || value === null ? 'NOT_A_NUMBER' : { value: sum }
    }
  }
}

async function outcomeOf(store: StateStore, mutation: Mutation): Promise<number | string> {
  try {
    return (await store.write(mutation)).version
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

/** Mulberry32, so that a failing run can be repeated from its printed seed. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }
}
