import { countItems } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { createKeyedMutex } from '../src/keyed-mutex.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

test('[S5] tasks of one key run one after the other; those of other keys do not wait', async () => {
  const queue = createKeyedMutex()
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const run = (key: string, name: string): Promise<void> =>
    queue.run(key, async () => {
      log.push(`${name} begins`)
      await new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const first = run('a', 'first')
  const second = run('a', 'second')
  await turns()
  ends.get('first')?.()
  await first
  await turns()
  const third = run('a', 'third')
  const elsewhere = run('b', 'elsewhere')
  await turns()
  expect(log).toEqual(['first begins', 'second begins', 'elsewhere begins'])
  ends.get('second')?.()
  await second
  await turns()
  expect(log.at(-1)).toBe('third begins')
  ends.get('third')?.()
  ends.get('elsewhere')?.()
  await Promise.all([third, elsewhere])
})

test('[S5] a failed task does not block the following ones', async () => {
  const queue = createKeyedMutex()
  const failed = queue.run('a', () => Promise.reject(new Error('It failed.')))
  const next = queue.run('a', () => Promise.resolve('done'))
  await expect(failed).rejects.toThrow('It failed.')
  expect(await next).toBe('done')
})

test('[F4] nothing is retained for a key whose tasks have ended or failed', async () => {
  const { made: queue, items } = await countItems(createKeyedMutex)
  const tasks = ['a', 'b', 'b'].map((key) => queue.run(key, () => Promise.resolve()))
  const failed = queue.run('c', () => Promise.reject(new Error('It failed.')))
  expect(items()).toBe(3)
  await Promise.allSettled([...tasks, failed])
  await turns()
  expect(items()).toBe(0)
})
