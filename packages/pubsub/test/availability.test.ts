import { createAvailability } from '../src/redis/availability.ts'
import { expect, test } from 'vitest'

/** An availability whose verifications the test answers by hand. */
function tested() {
  const told: string[] = []
  const verifications: ((inForce: boolean) => void)[] = []
  const availability = createAvailability(
    (_, { stage }) => told.push(`error ${stage}`),
    () => new Promise((resolve) => verifications.push(resolve)),
  )
  availability.onGap(() => told.push('gap'))
  availability.onStatus((status) => told.push(status))
  const answer = async (index: number, inForce: boolean): Promise<void> => {
    verifications[index]?.(inForce)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { availability, told, answer }
}

test('[N6] the first arrival is no gap, and ready only when everything is in force', async () => {
  const { availability, told, answer } = tested()
  availability.cameBack(false)
  await answer(0, false)
  expect([availability.status, told]).toEqual(['connecting', []])
  availability.cameBack(false)
  await answer(1, true)
  await availability.ready
  expect(told).toEqual(['ready'])
})

test('[N6] a gap is told once, after the status, when the last to come back has verified', async () => {
  const { availability, told, answer } = tested()
  availability.lost(undefined)
  availability.lost(undefined)
  availability.cameBack(true)
  availability.cameBack(true)
  await answer(0, true)
  expect(told).toEqual(['unavailable', 'error connection'])
  await answer(1, true)
  expect(told.slice(2)).toEqual(['ready', 'gap'])
})

test('[N6] what was verified before another loss counts for nothing', async () => {
  const { availability, told, answer } = tested()
  availability.cameBack(true)
  availability.lost(undefined)
  await answer(0, true)
  expect(told).toEqual(['unavailable', 'error connection'])
  availability.cameBack(false)
  await answer(1, true)
  expect(told.slice(2)).toEqual(['ready', 'gap'])
})

test('[N5] an outage is reported once, the next one again', async () => {
  const { availability, told, answer } = tested()
  for (const outage of [0, 1]) {
    availability.lost(new Error('first'))
    availability.lost(new Error('second'))
    availability.cameBack(true)
    await answer(outage, true)
  }
  expect(told.filter((what) => what === 'error connection')).toHaveLength(2)
})

test('[N4] a listener that throws is reported as one, and stops no other', async () => {
  const { availability, told, answer } = tested()
  const fail = (): never => {
    throw new Error('from a listener')
  }
  availability.onGap(fail)
  availability.onStatus(fail)
  availability.onGap(() => told.push('second gap'))
  availability.cameBack(true)
  await answer(0, true)
  expect(told).toEqual(['ready', 'error handler', 'gap', 'error handler', 'second gap'])
})

test('[N7] once closed it tells nothing more', async () => {
  const { availability, told, answer } = tested()
  availability.cameBack(true)
  availability.close()
  await answer(0, true)
  availability.lost(undefined)
  expect([availability.status, told]).toEqual(['closed', ['closed']])
})
