import { eventually, freePort, startExample, startRedis } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { connectPlain } from './serve.ts'

test('[README] the example runs unchanged, serves clients and ends on SIGTERM', async () => {
  const redis = await startRedis()
  const port = await freePort()
  const example = startExample(new URL('../README.md', import.meta.url), { env: { REDIS_URL: redis.url, PORT: String(port) } })
  onTestFinished(async () => {
    await example.stop()
    await redis.stop()
  })
  await eventually(() => expect(example.printed.toSorted(), example.complaints).toEqual(example.promised.toSorted()))
  expect(example.promised).toHaveLength(2)
  const client = await eventually(() => connectPlain(`http://127.0.0.1:${port}`))
  expect(await client.request('storage:get', { key: 'visits' })).toMatchObject({ value: 1 })
  expect(await example.stop()).toBe(0)
})
