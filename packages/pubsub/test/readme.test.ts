import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { RealtimePubSub } from '@tutti/pubsub'
import { expect, test } from 'vitest'
import { testRedis } from './setup.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

/** The code blocks of the README, the example first. */
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')

async function run(code: string): Promise<string> {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const args = ['--conditions=@tutti/source', '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd })
  expect(stderr).toBe('')
  return stdout
}

test('[N2] the first example of the README runs unchanged except for its port', async () => {
  const redis = await testRedis()
  const [example = ''] = blocks
  expect(example).toContain('port: 6379')
  expect(await run(example.replaceAll('6379', String(redis.port)))).toMatch(/^\{\n? +origin: '[0-9a-f-]{36}',\n? +hello: 'world'\n? *\}\n$/)
})

test('[N8] the example with your own clients runs unchanged except for its port', async () => {
  const redis = await testRedis()
  const example = blocks.find((code) => code.includes('redisOptions()')) ?? ''
  expect(await run(example.replaceAll('6379', String(redis.port)))).toBe('')
})

test('[N2] publishing right after construction works, also for several instances', async () => {
  const redis = await testRedis()
  const { host, port } = redis
  const pubsub = new RealtimePubSub({ host, port })
  const unsubscribe = pubsub.subscribe('some-channel', (message) => JSON.parse(message))
  await pubsub.publish('some-channel', { hello: 'world' })
  unsubscribe()
  await pubsub.dispose()
  expect(pubsub.status).toBe('closed')
})
