import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createMemoryLogs, type WorkerRecord } from '@tutti/coordination/logs'
import { pgliteStore } from '@tutti/documents/server'
import { eventually, fillPglite } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createCoalescingWorker } from './write-coalescing/coalescing-worker.ts'
import { TABLES, writeTransfers } from './write-coalescing/write-transfers.ts'

const GROUP = 'database'
let root: string
let database: PGlite
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tutti-transfers-'))
  const folder = join(root, 'data')
  // Beside the tables of documents, which are not used here.
  await fillPglite(folder, (made) => pgliteStore({ folder: made }))
  database = await PGlite.create(folder)
  await database.exec(TABLES)
})
afterAll(async () => {
  await database.close()
  await rm(root, { recursive: true })
})

const balances = async (): Promise<Record<string, number>> => {
  const { rows } = await database.query<{ account: string; cents: number }>('SELECT account, cents FROM balances ORDER BY account')
  return Object.fromEntries(rows.map(({ account, cents }) => [account, Number(cents)]))
}

test('[E10] records are written in batches, each with one effect', async () => {
  const logs = createMemoryLogs({ pattern: 'transfers:*', groups: [GROUP] })
  const batches: number[] = []
  /** What happens to the next calls of `write`. */
  const faults: ('outage' | 'killed')[] = []
  const write = async (records: readonly WorkerRecord[]): Promise<void> => {
    const fault = faults.shift()
    if (fault === 'outage') throw new Error('The database is not available.')
    await writeTransfers(database, records)
    batches.push(records.length)
    // As if the process had died after the transaction: the records are delivered again.
    if (fault === 'killed') throw new Error('killed')
  }
  const isOutage = (error: unknown): boolean => error instanceof Error && error.message.includes('not available')
  const workers = createCoalescingWorker({ logs, group: GROUP, everyMs: 20, minRetryMs: 1, maxRetryMs: 2, write, isOutage })
  onTestFinished(() => workers.close())
  const expected: Record<string, number> = {}
  const process = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number += 1) {
      const account = `a${number % 7}`
      expected[account] = (expected[account] ?? 0) + number
      await logs.append(`transfers:${number % 3}`, { json: JSON.stringify({ account, cents: number }) })
    }
    await eventually(async () => {
      for (const channel of [0, 1, 2]) expect(await workers.group.backlog(`transfers:${channel}`)).toEqual({ waiting: 0, pending: 0 })
    })
    expect(await balances()).toEqual(expected)
  }
  await process(600)
  expect(batches.reduce((sum, count) => sum + count, 0)).toBe(600)
  expect(batches.length).toBeLessThan(30)
  faults.push('outage', 'outage', 'outage')
  await process(20)
  faults.push('killed')
  await process(20)
  // The one record that cannot be written fails alone.
  await logs.append('transfers:0', { json: '"no transfer"' })
  await process(20)
  const letters = await workers.group.deadLetters.list('transfers:0')
  expect(letters.map(({ json, errors }) => [json, errors])).toEqual([['"no transfer"', Array.from({ length: 3 }, () => 'No transfer.')]])
})

test('[docs] the recipe is the code that the test runs', async () => {
  const page = await readFile(new URL('../../../docs/write-coalescing.md', import.meta.url), 'utf8')
  for (const name of ['coalescing-worker.ts', 'write-transfers.ts']) {
    expect(page).toContain(await readFile(new URL(`./write-coalescing/${name}`, import.meta.url), 'utf8'))
  }
})
