import { RealtimeError, type JsonObject } from '@tutti/protocol'
import { expect, test } from 'vitest'
import type { WriteResult } from '../src/index.ts'
import { createPatchableValue } from '../src/redis/patchable-value.ts'
import { createPatchQueue, type PatchRequest } from '../src/redis/patch-queue.ts'
import type { RunWrite, WriteAnswer, WriteCall } from '../src/redis/write-call.ts'
import { freshAuthor } from '../src/testing/store-under-test.ts'

/** A queue whose scripts end with the given outcomes: a part of an answer, or an error. */
function scripted(ends: (Partial<WriteAnswer> | Error)[], inlineValueMaxBytes = 8_192) {
  const calls: WriteCall[] = []
  const run: RunWrite = (call, onAnswer, onError) => {
    calls.push(call)
    const version = calls.length
    const end = ends.shift() ?? {}
    queueMicrotask(() => (end instanceof Error ? onError(end) : onAnswer({ verdict: 'ok', version, text: '0', author: -1, ...end })))
  }
  const queue = createPatchQueue({ run, inlineValueMaxBytes })
  const write = (patch: JsonObject, request: Partial<PatchRequest> = {}) =>
    new Promise<WriteResult>((resolve, reject) =>
      queue.write({ key: 'a', patch, author: undefined, writer: undefined, deadline: 1_000, ...request }, resolve, reject),
    )
  return { calls, queue, write }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('[S5] a patch with a result is not written again', async () => {
  const { calls, write } = scripted([])
  await write({ a: 1 })
  await turn()
  expect(calls).toHaveLength(1)
})

test('[S8] queued patches are announced as one patch if possible, else as the value', async () => {
  const { calls, queue, write } = scripted([])
  queue.cache.set('a', { version: 7, value: createPatchableValue({ text: 'x'.repeat(100) }) })
  await Promise.all([write({ a: 1 }), write({ b: 1 }), write({ a: null }), write({ c: 1 })])
  expect(calls.map(({ tail }) => tail)).toEqual([',"base":7,"patch":{"a":1}', ',"base":1,"patch":{"b":1,"a":null,"c":1}'])
  await Promise.all([write({ d: 1 }), write({ a: 5 }), write({ a: { b: 1 } }), write({ c: 2 })])
  expect(calls.at(-1)?.tail).toBe(`,"value":${calls.at(-1)?.text}`)
  expect(JSON.parse(calls.at(-1)?.text ?? '')).toEqual({ text: 'x'.repeat(100), b: 1, c: 2, d: 1, a: { b: 1 } })
})

test('[S8] a patch or value above inlineValueMaxBytes is cached but not announced', async () => {
  const { calls, queue, write } = scripted([], 10)
  for (const value of [1, 12]) {
    queue.cache.set('a', { version: 0, value: createPatchableValue({ long: 'x'.repeat(20) }) })
    await write({ öö: value })
  }
  expect(calls.map(({ tail }) => tail)).toEqual([',"base":0,"patch":{"öö":1}', ''])
  expect(queue.cache.get('a')?.version).toBe(2)
  expect(queue.cache.get('a')?.value?.toJson()).toBe(calls.at(-1)?.text)
  queue.cache.set('a', { version: 0, value: createPatchableValue({}) })
  await write({ öö: 1 })
  expect(calls.at(-1)?.tail).toBe(',"value":{"öö":1}')
  expect(queue.cache.get('a')?.version).toBe(3)
  expect(queue.cache.get('a')?.value?.toJson()).toBe(calls.at(-1)?.text)
  await write({ öö: 12 })
  expect(calls.at(-1)?.tail).toBe('')
  expect(queue.cache.get('a')?.version).toBe(4)
})

test('[S8] [S12] for patches written together the base is the new version', async () => {
  const { write } = scripted([{ text: '0' }, { text: '1' }])
  expect(await Promise.all([write({ a: 1 }), write({ b: 1 }), write({ c: 1 })])).toEqual([
    { version: 1, base: 0 },
    { version: 2, base: 2 },
    { version: 2, base: 2 },
  ])
})

test('[F2] a patch at exactly its deadline is not late', async () => {
  const { write } = scripted([{}, { verdict: 'late', version: 2_000 }])
  const results = await Promise.allSettled([write({ a: 1 }), write({ b: 1 }, { deadline: 1 }), write({ c: 1 }, { deadline: 2 })])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('[F2] [S8] a failure after one remembered result leaves the others unknown', async () => {
  const [away, closed] = [new RealtimeError('UNAVAILABLE'), new RealtimeError('CLOSED')]
  const memory = { verdict: 'ok', author: 0 }
  for (const [ends, expected] of [
    [[{}, away], { code: 'UNAVAILABLE' }],
    [[{}, memory, away], { code: 'OUTCOME_UNKNOWN', cause: away }],
    [[{}, memory, closed], { code: 'OUTCOME_UNKNOWN', cause: closed }],
  ] as const) {
    const { write } = scripted([...ends])
    const [, , last] = await Promise.allSettled(['a', 'b', 'c'].map((name) => write({ [name]: 1 }, { author: freshAuthor() })))
    expect(last).toMatchObject({ status: 'rejected', reason: expected })
  }
})

test('[S8] at most 100 patches go in one write', async () => {
  const { calls, write } = scripted([])
  await Promise.all(Array.from({ length: 202 }, (_, place) => write({ [`p${place}`]: 1 }, { author: freshAuthor() })))
  expect(calls.map(({ authors }) => authors.length)).toEqual([1, 100, 100, 1])
})
