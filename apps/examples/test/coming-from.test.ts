import { eventually, freePort, startExample, startRedis, untilListening, type Example } from '@tutti/test-kit'
import { io } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'

const folder = new URL('./', import.meta.url)

/** The examples of a page, on one Redis. */
async function openPage(page: string) {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const start = (index: number, env: Record<string, string>): Example => {
    const example = startExample(new URL(`../../../docs/${page}.md`, import.meta.url), {
      ...{ block: index, folder },
      env: { REDIS_URL: redis.url, ...env },
    })
    onTestFinished(async () => void (await example.stop()))
    return example
  }
  /** Two instances; the second one has a client, which is in the room. */
  const serve = async () => {
    const ports = [await freePort(), await freePort()]
    const servers = ports.map((port) => start(0, { PORT: String(port) }))
    const [near = '', far = ''] = ports.map((port) => `http://127.0.0.1:${port}`)
    await Promise.all(ports.map(untilListening))
    const client = start(1, { TUTTI_URL: far })
    await eventually(() => expect(client.printed, [client, ...servers].map(({ complaints }) => complaints).join('')).toContain('joined'))
    return { servers, near, client }
  }
  return { start, serve }
}

/** What a client received. */
const received = ({ printed }: Example): string[] => printed.filter((line) => line.includes(':')).toSorted()

test('[docs] the examples of coming-from-socket-io-redis.md run on two instances', async () => {
  const { start, serve } = await openPage('coming-from-socket-io-redis')
  const { servers, near, client } = await serve()
  await eventually(() => expect(client.printed).toContain('entered'))
  const sender = io(`${near}/chat`, { transports: ['websocket'], forceNew: true })
  onTestFinished(() => void sender.disconnect())
  sender.emit('send', 'lobby', 'hello')
  const worker = start(2, {})
  expect(await worker.ended).toBe(0)
  expect(worker.printed).toEqual(worker.promised)
  await eventually(() => expect(received(client)).toEqual(client.promised.toSorted()))
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0])
})

test('[docs] the examples of coming-from-sails.md run on two instances', async () => {
  const { serve } = await openPage('coming-from-sails')
  const { servers, near, client } = await serve()
  const response = await fetch(`${near}/messages`, { method: 'POST', body: 'hello' })
  expect(await response.json()).toEqual({ missing: [] })
  await eventually(() => expect(received(client)).toEqual(client.promised.toSorted()))
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0])
})
