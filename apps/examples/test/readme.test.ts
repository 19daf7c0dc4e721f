import { readFileSync } from 'node:fs'
import { createRealtimeClient } from '@tutti/client'
import { eventually, freePort, startExample, startRedis, untilListening, type Example } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { openApplication } from './open-application.ts'

const readme = new URL('../../../README.md', import.meta.url)
const folder = new URL('./', import.meta.url)
const VITE = 'http://localhost:5173'
const SERVER = 0
const CLIENT = 1
const SERVER_ON_REDIS = 2
const SERVER_WITH_USERS = 4
const CLIENT_OF_A_USER = 5

/** Replacements for addresses in the README. */
interface Places {
  redisUrl?: string
  /** The origin of the pages. */
  origin?: string
}

/** Starts a block of the README on a free port. */
function start(index: number, port: number, { redisUrl = '', origin = VITE }: Places = {}): Example {
  const example = startExample(readme, {
    block: index,
    folder,
    env: { SESSION_SECRET: 'of the two examples that sign and verify' },
    edit: (code) => {
      expect(code).toContain('3000')
      return code.replaceAll('3000', String(port)).replace('redis://127.0.0.1:6379', redisUrl).replace(VITE, origin)
    },
  })
  onTestFinished(async () => void (await example.stop()))
  return example
}

/** Starts a server, and waits until it listens. */
async function serve(index: number, port: number, places?: Places): Promise<Example> {
  const server = start(index, port, places)
  await untilListening(port)
  return server
}

/** The block of a README that follows the name of its file. */
function blockOf(text: string, file: string): string {
  const code = new RegExp(`\`${file}\`:\n\n\`\`\`\\w+\n(.*?)\`\`\``, 's').exec(text)?.[1]
  if (code === undefined) throw new Error(`The README has no ${file}.`)
  return code
}

/** Waits until the client shows the value, and returns the last line that it printed. */
const shown = (client: Example, value: string, server: Example): Promise<string | undefined> =>
  eventually(() => {
    const last = client.printed.findLast((line) => /^\d/.test(line))
    if (last !== value) throw new Error(`printed ${client.printed.join(', ')} ${server.complaints}${client.complaints}`)
    return last
  })

test('[README] clients of the first example share a counter and receive events', async () => {
  const port = await freePort()
  const server = await serve(SERVER, port)
  const first = start(CLIENT, port)
  expect(await shown(first, '1 confirmed', server)).toBe('1 confirmed')
  const second = start(CLIENT, port)
  for (const client of [first, second]) expect(await shown(client, '2 confirmed', server)).toBe('2 confirmed')
  await eventually(() => expect(first.printed).toContain("chat:lobby { text: 'hello' }"))
  expect(second.printed).not.toContain("chat:lobby { text: 'hello' }")
})

test('[README] two servers on one Redis share the counter', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const ports = [await freePort(), await freePort()]
  for (const port of ports) {
    const server = await serve(SERVER_ON_REDIS, port, { redisUrl: redis.url })
    const count = port === ports[0] ? '1 confirmed' : '2 confirmed'
    expect(await shown(start(CLIENT, port), count, server)).toBe(count)
  }
})

test('[README] rules apply to a signed-in user; a client without a token is refused', async () => {
  const port = await freePort()
  const server = await serve(SERVER_WITH_USERS, port)
  const client = start(CLIENT_OF_A_USER, port)
  expect(client.promised).toEqual(['FORBIDDEN'])
  await eventually(() => expect(client.printed, server.complaints + client.complaints).toEqual(client.promised))
  const stranger = createRealtimeClient({ url: `http://127.0.0.1:${port}` })
  onTestFinished(() => stranger.close())
  await eventually(() => expect(stranger.connection.current).toMatchObject({ status: 'closed', reason: { code: 'UNAUTHENTICATED' } }))
})

test('[README] the Vue application shows the same state in two windows', async () => {
  const port = await freePort()
  const text = readFileSync(readme, 'utf8').replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
  const app = { 'src/main.ts': blockOf(text, 'src/main.ts'), 'src/App.vue': blockOf(text, 'src/App.vue') }
  const { open, origin } = await openApplication(app)
  await serve(SERVER, port, { origin })
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

test('[S13] the client runs in a web worker', async () => {
  const port = await freePort()
  const { open, origin } = await openApplication({
    'src/main.ts': `
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
      worker.onmessage = ({ data }) => (document.title = data)`,
    'src/worker.ts': `
      import { createRealtimeClient } from '@tutti/client'
      const client = createRealtimeClient({ url: 'http://127.0.0.1:${port}' })
      const count = client.state('count', { default: 0 })
      await count.increment(41)
      postMessage(String(count.current.value))`,
  })
  const server = await serve(SERVER, port, { origin })
  expect(await shown(start(CLIENT, port), '1 confirmed', server)).toBe('1 confirmed')
  const page = await open()
  await eventually(async () => expect(await page.title()).toBe('42'))
})
