import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'

type Row = readonly [packageName: string, file: string, functionName: string, calls: number]

const script = fileURLToPath(new URL('record.ts', import.meta.url))

/**
 * The path of one warm `set`: from a client through two instances and Redis to a Vue ref of another client. With
 * `TUTTI_PRINT_PATH=1` the test prints all functions, not only their number.
 */
test('the path of a set stays short', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@tutti/source', script, redis.url])
  const rows: Row[] = JSON.parse(stdout)
  const files = (of: readonly Row[]): number => new Set(of.map(([name, file]) => `${name}/${file}`)).size
  const lines = [...new Set(rows.map(([name]) => name))].map((name) => {
    const own = rows.filter(([one]) => one === name)
    return `${name}: ${files(own)} files, ${own.length} functions, ${own.reduce((sum, [, , , calls]) => sum + calls, 0)} calls`
  })
  if (process.env['TUTTI_PRINT_PATH'] === '1') lines.push(...rows.map((row) => row.join(' ')))
  console.log([...lines, `all: ${files(rows)} files, ${rows.length} functions`].join('\n'))
  expect(new Set(rows.map(([name]) => name))).toEqual(new Set(['client', 'protocol', 'server', 'storage-driver', 'pubsub', 'vue']))
  // Of 0.1.0: 81 files, 267 functions by another count. Since then locks and rooms, what reads and writes bytes in place of ioredis,
  // ws, Engine.IO and Socket.IO, and collections of few entries. A change that lengthens the path should be a decision.
  expect(files(rows)).toBeLessThanOrEqual(97)
  expect(rows.length).toBeLessThanOrEqual(353)
})
