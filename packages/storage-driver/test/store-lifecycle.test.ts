import { expect, test } from 'vitest'
import { createStoreLifecycle } from '../src/store-lifecycle.ts'

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false
  void promise.then(() => (settled = true))
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

test('[F4] close waits for admitted calls, successful or not, and admits no others', async () => {
  const lifecycle = createStoreLifecycle()
  const ends: (() => void)[] = []
  const calls = [
    lifecycle.call(() => new Promise<number>((resolve) => ends.push(() => resolve(1)))),
    lifecycle.call(() => new Promise<number>((_, reject) => ends.push(() => reject(new Error('It failed.'))))),
  ]
  const outcomes = Promise.allSettled(calls)
  const closed = lifecycle.close()
  expect(await isSettled(closed)).toBe(false)
  await expect(lifecycle.call(async () => 2)).rejects.toMatchObject({ code: 'CLOSED' })
  expect(() => lifecycle.assertOpen()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  ends[0]?.()
  expect(await isSettled(closed)).toBe(false)
  ends[1]?.()
  expect(await isSettled(closed)).toBe(true)
  expect(await isSettled(lifecycle.close())).toBe(true)
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
})

test('[F4] a call that throws at once has ended: close does not wait for it', async () => {
  const lifecycle = createStoreLifecycle()
  const thrown = lifecycle.call(() => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
  expect(await isSettled(lifecycle.close())).toBe(true)
})

test('[C5] a call that fails several times, like a read of many keys, counts once', async () => {
  const lifecycle = createStoreLifecycle()
  const failing = lifecycle.settle((_, reject) => {
    for (const key of ['a', 'b', 'c']) reject(new Error(key))
  })
  await expect(failing).rejects.toThrow('a')
  let finish: (text: string) => void = () => {}
  const running = lifecycle.settle<string>((resolve) => {
    finish = resolve
  })
  let isClosed = false
  const closed = lifecycle.close().then(() => (isClosed = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(isClosed).toBe(false)
  finish('done')
  expect(await running).toBe('done')
  await closed
})
