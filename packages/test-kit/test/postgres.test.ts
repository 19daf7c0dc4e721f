import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startPostgres } from '../src/index.ts'

const run = promisify(execFile)

test('a test PostgreSQL has its databases again after a crash', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const url = await postgres.createDatabase()
  const query = async (sql: string): Promise<string> => (await run('psql', [url, '-tAc', sql])).stdout.trim()
  await query('create table kept (n int); insert into kept values (7)')
  await postgres.kill()
  await expect(once(connect(postgres.port, postgres.host), 'connect')).rejects.toThrow('ECONNREFUSED')
  await postgres.start()
  expect(await query('select n from kept')).toBe('7')
})
