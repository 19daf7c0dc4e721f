import { countItems } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { createGate } from '../src/gate.ts'

test('[F4] nothing is kept of a call that has ended, well or not', async () => {
  const { made: gate, items } = await countItems(createGate)
  const calls = [gate.call(() => Promise.resolve()), gate.call(() => Promise.reject(new Error('It failed.')))]
  expect(items()).toBe(2)
  await Promise.allSettled(calls)
  expect(items()).toBe(0)
  await gate.close()
})
