import { expect, test } from 'vitest'
import { requestParts } from '../src/client/request-parts.ts'

/** Parts whose replies the test sends. */
function startParts(count: number): {
  sent: number[]
  done: Promise<void>
  reply: (afterMs: number) => Promise<void>
  fail: () => Promise<void>
} {
  const sent: number[] = []
  const waiting: PromiseWithResolvers<void>[] = []
  let nowMs = 0
  const done = requestParts({
    count,
    now: () => nowMs,
    requestPart: (index) => {
      sent.push(index)
      const part = Promise.withResolvers<void>()
      waiting.push(part)
      return part.promise
    },
  })
  done.catch(() => {})
  const settle = async (run: (part: PromiseWithResolvers<void> | undefined) => void): Promise<void> => {
    run(waiting.shift())
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
  return {
    sent,
    done,
    reply: (afterMs) => {
      nowMs += afterMs
      return settle((part) => part?.resolve())
    },
    fail: () => settle((part) => part?.reject(new Error('refused'))),
  }
}

test('[D3] two parts are in flight, the second only while replies are fast', async () => {
  const { sent, reply, done } = startParts(7)
  expect(sent).toEqual([0])
  await reply(249)
  expect(sent).toEqual([0, 1, 2])
  await reply(100)
  expect(sent).toEqual([0, 1, 2, 3])
  await reply(200)
  expect(sent, 'the reply to part 2 took 300 ms').toEqual([0, 1, 2, 3])
  await reply(0)
  expect(sent).toEqual([0, 1, 2, 3, 4, 5])
  await reply(250)
  await reply(0)
  expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6])
  await reply(0)
  await expect(done).resolves.toBeUndefined()
})

test('[D3] a refused part ends its transfer', async () => {
  const { sent, reply, fail, done } = startParts(5)
  await reply(0)
  await fail()
  await reply(0)
  expect(sent).toEqual([0, 1, 2])
  await expect(done).rejects.toThrow('refused')
})
