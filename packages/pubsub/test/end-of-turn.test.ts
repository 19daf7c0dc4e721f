import { expect, test } from 'vitest'
import { createEndOfTurn } from '../src/redis/end-of-turn.ts'

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve))
const nextIteration = () => new Promise<void>((resolve) => setImmediate(resolve))

test('[S5] tasks run in order, those added by a task in the same pass', async () => {
  const log: string[] = []
  const endOfTurn = createEndOfTurn()
  endOfTurn.add(() => {
    log.push('flush')
    endOfTurn.add(() => log.push('uncork'))
  })
  endOfTurn.add(() => log.push('other'))
  expect(log).toEqual([])
  await nextTick()
  expect(log).toEqual(['flush', 'other', 'uncork'])
  endOfTurn.add(() => log.push('again'))
  await nextTick()
  expect(log.at(-1)).toBe('again')
})

test('[S5] with a command in flight the turn ends with this event-loop iteration', async () => {
  const log: string[] = []
  const endOfTurn = createEndOfTurn()
  endOfTurn.sent()
  endOfTurn.add(() => log.push('late'))
  await nextTick()
  expect(log).toEqual([])
  await nextIteration()
  expect(log).toEqual(['late'])
  endOfTurn.settled()
  endOfTurn.add(() => log.push('at once'))
  await nextTick()
  expect(log).toEqual(['late', 'at once'])
})
