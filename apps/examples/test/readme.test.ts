import { eventually, freePort, startExample, startRedis, type Example } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { openVueExample } from './vue-example.ts'

const readme = new URL('../../../README.md', import.meta.url)
const folder = new URL('./', import.meta.url)
const SERVER = 0
const CLIENT = 1
const SERVER_ON_REDIS = 2

/** Starts a block of the README, with a free port (and a Redis) of the test's own in the place of what it says. */
function start(index: number, port: number, redisUrl = ''): Example {
  const example = startExample(readme, {
    index,
    folder,
    edit: (code) => {
      expect(code).toContain('3000')
      return code.replaceAll('3000', String(port)).replace('redis://127.0.0.1:6379', redisUrl)
    },
  })
  onTestFinished(() => void example.stop())
  return example
}

const shows = (client: Example, value: string, server: Example) =>
  eventually(() => expect(client.printed.at(-1), `${server.complaints}${client.complaints}`).toBe(value), { timeoutMs: 20_000 })

test('[README] the server and the client of the first example share a counter', async () => {
  const port = await freePort()
  const server = start(SERVER, port)
  const clients = [start(CLIENT, port), start(CLIENT, port)]
  for (const client of clients) await shows(client, '2', server)
})

test('[README] two servers on one Redis share it too', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const ports = [await freePort(), await freePort()]
  for (const port of ports) {
    const server = start(SERVER_ON_REDIS, port, redis.url)
    await shows(start(CLIENT, port), port === ports[0] ? '1' : '2', server)
  }
})

test('[README] the Vue application shows the same counter and poll in two windows', async () => {
  const port = await freePort()
  start(SERVER, port)
  const { open } = await openVueExample(readme, port)
  const [here, there] = await Promise.all([open(), open()])
  await here.click('button')
  await there.click('button')
  await here.fill('input', 'Spaces?')
  await there.click('button:last-of-type')
  for (const page of [here, there]) {
    await eventually(async () => {
      expect(await page.textContent('button')).toBe('2')
      expect(await page.inputValue('input')).toBe('Spaces?')
      expect(await page.textContent('button:last-of-type')).toBe('1 say yes')
    })
  }
})
