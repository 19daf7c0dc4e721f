import { expect, test } from 'vitest'
import { createDriverLogs, createMemoryLogs } from '../../src/logs/index.ts'
import { appendNumbers, numbersOf, readAll } from '../../src/testing/logs/logs-under-test.ts'
import { mapDriver } from './logs-places.ts'

const options = { pattern: 'chat:*', maxRecords: 5 }

test('[E6] a log in a driver continues after a restart', async () => {
  const items = new Map<string, string>()
  const before = createDriverLogs(mapDriver(items), options)
  const positions = await appendNumbers(before, 'chat:a', 7)
  await before.append('chat:a', { json: '7', id: 'seven' })
  await before.close()
  const after = createDriverLogs(mapDriver(items), options)
  expect(await after.append('chat:a', { json: '7', id: 'seven' })).toMatchObject({ isNew: false })
  expect(numbersOf(await readAll(after, 'chat:a', positions[4]))).toEqual([5, 6, 7])
  expect(await after.read('chat:a', positions[0])).toMatchObject({ hasGap: true })
  // The records that were trimmed are removed from the driver.
  expect(items.size).toBe(6)
})

test('[E6] a log in a driver keeps its last offset when all records are trimmed', async () => {
  const items = new Map<string, string>()
  const before = createDriverLogs(mapDriver(items), options)
  const [last] = await appendNumbers(before, 'chat:a', 1)
  await before.trim('chat:a', last?.offset ?? 0)
  const after = createDriverLogs(mapDriver(items), options)
  expect(await after.read('chat:a', last)).toMatchObject({ hasGap: false, records: [] })
})

test('[E6] a record counts once the driver has stored it', async () => {
  const items = new Map<string, string>()
  const driver = mapDriver(items)
  let isBroken = false
  const logs = createDriverLogs(
    {
      ...driver,
      setItem: async (key, value) => {
        if (isBroken) throw new Error('The disk is full.')
        items.set(key, value)
      },
    },
    options,
  )
  await logs.append('chat:a', { json: '0' })
  isBroken = true
  await expect(logs.append('chat:a', { json: '1', id: 'x' })).rejects.toThrow('The disk is full.')
  expect(numbersOf(await readAll(logs, 'chat:a'))).toEqual([0])
  isBroken = false
  expect(await logs.append('chat:a', { json: '1', id: 'x' })).toMatchObject({ isNew: true })
  // As a crash leaves an item that is being written.
  const [lastKey = ''] = [...items.keys()].toSorted().slice(-1)
  items.set(lastKey, '{"offset":17958')
  expect(numbersOf(await readAll(createDriverLogs(mapDriver(items), options), 'chat:a'))).toEqual([0])
})

test('[X9] logs validate their options', () => {
  const invalid = [{ pattern: 'a*' }, { ...options, maxBacklog: 4 }, { ...options, groups: ['a b'] }, { ...options, maxAgeMs: 0 }]
  for (const bad of invalid) expect(() => createMemoryLogs(bad)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(() => createDriverLogs(mapDriver(), options).group('g')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
})
