import { createAvailability } from '../src/redis/availability.ts'
import { expect, test } from 'vitest'

/** An availability whose verifications are settled by the test. */
function tested() {
  const reported: string[] = []
  const verifications: ((inForce: boolean) => void)[] = []
  const availability = createAvailability(
    (_, { stage }) => reported.push(`error ${stage}`),
    () => new Promise((resolve) => verifications.push(resolve)),
  )
  availability.onGap(() => reported.push('gap'))
  availability.onStatus((status) => reported.push(status))
  const answer = async (index: number, inForce: boolean): Promise<void> => {
    verifications[index]?.(inForce)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { availability, reported, answer }
}

test('[N6] the first connection is no gap, and ready only once all is confirmed', async () => {
  const { availability, reported, answer } = tested()
  availability.cameBack(false)
  await answer(0, false)
  expect([availability.status, reported]).toEqual(['connecting', []])
  availability.cameBack(false)
  await answer(1, true)
  await availability.ready
  expect(reported).toEqual(['ready'])
})

test('[N6] a gap is reported once, after the status, when the last side has verified', async () => {
  const { availability, reported, answer } = tested()
  availability.lost(undefined)
  availability.lost(undefined)
  availability.cameBack(true)
  availability.cameBack(true)
  await answer(0, true)
  expect(reported).toEqual(['unavailable', 'error connection'])
  await answer(1, true)
  expect(reported.slice(2)).toEqual(['ready', 'gap'])
})

test('[N6] a verification before another loss is ignored', async () => {
  const { availability, reported, answer } = tested()
  availability.cameBack(true)
  availability.lost(undefined)
  await answer(0, true)
  expect(reported).toEqual(['unavailable', 'error connection'])
  availability.cameBack(false)
  await answer(1, true)
  expect(reported.slice(2)).toEqual(['ready', 'gap'])
})

test('[N5] an outage is reported once, the next one again', async () => {
  const { availability, reported, answer } = tested()
  for (const outage of [0, 1]) {
    availability.lost(new Error('first'))
    availability.lost(new Error('second'))
    availability.cameBack(true)
    await answer(outage, true)
  }
  expect(reported.filter((what) => what === 'error connection')).toHaveLength(2)
})

test('[N4] a listener that throws is reported as a handler and does not stop others', async () => {
  const { availability, reported, answer } = tested()
  const fail = (): never => {
    throw new Error('from a listener')
  }
  availability.onGap(fail)
  availability.onStatus(fail)
  availability.onGap(() => reported.push('second gap'))
  availability.cameBack(true)
  await answer(0, true)
  expect(reported).toEqual(['ready', 'error handler', 'gap', 'error handler', 'second gap'])
})

test('[N7] once closed, it reports nothing', async () => {
  const { availability, reported, answer } = tested()
  availability.cameBack(true)
  availability.close()
  await answer(0, true)
  availability.lost(undefined)
  expect([availability.status, reported]).toEqual(['closed', ['closed']])
})
