import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createRealtimeClient } from '@tutti/client'
import type { AttachRealtimeOptions } from '@tutti/server/node'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually, freePort, makeCertificate, startExample, startNginx, type TestCertificate, type TestNginx } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import { io, type Socket } from 'socket.io-client'
import memoryDriver from 'unstorage/drivers/memory'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

const deployment = new URL('../../../docs/deployment.md', import.meta.url)
const text = readFileSync(deployment, 'utf8')

/** A block of the document. */
function blockOf(name: string): string {
  const block = new RegExp(`^\`\`\`${name}\n(.*?)^\`\`\``, 'ms').exec(text)?.[1]
  if (block === undefined) throw new Error(`docs/deployment.md has no block ${name}.`)
  return block
}

/** Replaces text that must exist. */
function replaced(code: string, from: string | RegExp, to: string): string {
  const result = code.replace(from, () => to)
  if (result === code && !code.includes(to)) throw new Error(`docs/deployment.md has no ${from}.`)
  return result
}

const [, MAP = '', SERVER = ''] = /^(map.*?^})\n\n(server.*)$/ms.exec(blockOf('nginx')) ?? []
const HEADERS = /(?<=# The host and the address of the client\.\n).*?(?=\n\n)/s
const UPGRADE = /# Without these three lines.*?connection_upgrade;\n/s

/** The server of the document with other headers. */
const SERVERS = {
  'the file above': SERVER,
  '`Host $host` and `X-Forwarded-Port`': replaced(SERVER, HEADERS, blockOf('nginx-host')),
  '`Host` of the upstream, and `X-Forwarded-Host`': replaced(SERVER, HEADERS, blockOf('nginx-forwarded')),
  none: replaced(SERVER, HEADERS, blockOf('nginx-none')),
  'none, and no `Upgrade` either': replaced(replaced(SERVER, HEADERS, blockOf('nginx-none')), UPGRADE, ''),
}
type Headers = keyof typeof SERVERS

const SCHEMES = ['http', 'https'] as const
type Scheme = (typeof SCHEMES)[number]

interface Place {
  scheme: Scheme
  port: number
  certificate: TestCertificate
  upstream: string
}

/** A server of the document on a port of the test. */
function placed(server: string, { scheme, port, certificate, upstream }: Place): string {
  const listening = replaced(
    replaced(server, 'listen 443 ssl', `listen 127.0.0.1:${port}${scheme === 'https' ? ' ssl' : ''}`),
    'http://127.0.0.1:3000',
    upstream,
  )
  if (scheme === 'http') return replaced(listening, /^ *ssl_certificate.*\n.*\n/m, '')
  return replaced(replaced(listening, '/etc/ssl/app.example.pem', certificate.certificate), '/etc/ssl/app.example.key', certificate.key)
}

/** The address from which clients of the tests come: another one than nginx has. */
const CLIENT = '127.0.0.2'

interface Instance {
  readonly port: number
  readonly id: string
  /** Admitted users and addresses. */
  readonly seen: string[]
}

const closing: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

/** A server that admits users with a session cookie only, or all clients. */
async function start(options: Partial<AttachRealtimeOptions>, onRequest?: RequestListener): Promise<Instance> {
  const httpServer = createServer(onRequest)
  const seen: string[] = []
  const realtime = attachRealtime(httpServer, {
    state: reactiveDriver(memoryDriver()),
    onWarning: () => {},
    authenticate: ({ headers, address }) => {
      const user = /session=(\w+)/.exec(headers.cookie ?? '')?.[1]
      if (user !== undefined) seen.push(`${user} at ${address}`)
      return user === undefined ? null : { id: user }
    },
    ...options,
  })
  await once(httpServer.listen(0, '127.0.0.1'), 'listening')
  closing.push(async () => {
    await realtime.close()
    httpServer.close()
    httpServer.closeAllConnections()
  })
  const address = httpServer.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, id: realtime.instanceId, seen }
}

/** Connects like a page in a browser; settles with `connected`, or with the code or message of the refusal. */
async function outcome(origin: string, transport: string): Promise<string> {
  // The types of Socket.IO do not have `localAddress`, which it passes on.
  const options = {
    transports: [transport],
    forceNew: true,
    reconnection: false,
    rejectUnauthorized: false,
    localAddress: CLIENT,
    extraHeaders: { origin, cookie: 'session=ann' },
  }
  const socket: Socket = io(origin, options)
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve('connected'))
      socket.once('connect_error', (error: Error & { data?: { code?: string } }) => resolve(error.data?.code ?? error.message))
    })
  } finally {
    socket.disconnect()
  }
}

const UPSTREAMS = ['trustProxy: 1', 'trustProxy: 0', 'trustProxy: 0, listed'] as const
type Upstream = (typeof UPSTREAMS)[number]

describe('one instance behind nginx', () => {
  const origins = new Map<string, string>()
  const originOf = (...names: [Headers, Scheme, Upstream]): string => origins.get(names.join()) ?? ''
  let instances: Record<Upstream, Instance>
  let nginx: TestNginx
  let certificate: TestCertificate
  beforeAll(async () => {
    const names = Object.keys(SERVERS).flatMap((headers) =>
      SCHEMES.flatMap((scheme) => UPSTREAMS.map((upstream) => ({ headers: headers as Headers, scheme, upstream }))),
    )
    const ports = new Set<number>()
    while (ports.size < names.length) ports.add(await freePort())
    const places = [...ports].flatMap((port, index) => names.slice(index, index + 1).map((name) => ({ ...name, port })))
    for (const { headers, scheme, upstream, port } of places)
      origins.set([headers, scheme, upstream].join(), `${scheme}://127.0.0.1:${port}`)
    instances = {
      'trustProxy: 1': await start({ trustProxy: 1 }, page),
      'trustProxy: 0': await start({}),
      'trustProxy: 0, listed': await start({ origins: [...origins.values()] }),
    }
    certificate = makeCertificate()
    const servers = places.map(({ headers, upstream, ...place }) =>
      placed(SERVERS[headers], { ...place, certificate, upstream: `http://127.0.0.1:${instances[upstream].port}` }),
    )
    nginx = await startNginx([MAP, ...servers].join('\n'))
    closing.push(
      () => nginx.stop(),
      () => certificate.remove(),
    )
  })

  const OUTCOMES: Record<Headers, Record<Upstream, string>> = {
    'the file above': { 'trustProxy: 1': 'connected', 'trustProxy: 0': 'connected', 'trustProxy: 0, listed': 'connected' },
    '`Host $host` and `X-Forwarded-Port`': {
      'trustProxy: 1': 'connected',
      'trustProxy: 0': 'FORBIDDEN',
      'trustProxy: 0, listed': 'connected',
    },
    '`Host` of the upstream, and `X-Forwarded-Host`': {
      'trustProxy: 1': 'connected',
      'trustProxy: 0': 'FORBIDDEN',
      'trustProxy: 0, listed': 'connected',
    },
    none: { 'trustProxy: 1': 'FORBIDDEN', 'trustProxy: 0': 'FORBIDDEN', 'trustProxy: 0, listed': 'connected' },
    'none, and no `Upgrade` either': {
      'trustProxy: 1': 'websocket error',
      'trustProxy: 0': 'websocket error',
      'trustProxy: 0, listed': 'websocket error',
    },
  }

  for (const scheme of SCHEMES) {
    for (const headers of Object.keys(SERVERS) as Headers[]) {
      test(`[X1] over ${scheme}, with the headers: ${headers}`, async () => {
        expect(text).toContain(`| ${headers} |`)
        for (const upstream of UPSTREAMS) {
          const origin = originOf(headers, scheme, upstream)
          expect(await outcome(origin, 'websocket'), upstream).toBe(OUTCOMES[headers][upstream])
          if (!headers.includes('no `Upgrade`')) expect(await outcome(origin, 'polling'), upstream).toBe(OUTCOMES[headers][upstream])
        }
      })
    }
  }

  test('[X8] behind a trusted nginx the address is that of the client, else of nginx', async () => {
    const { seen: trusted } = instances['trustProxy: 1']
    const { seen: direct } = instances['trustProxy: 0']
    trusted.length = direct.length = 0
    await outcome(originOf('the file above', 'https', 'trustProxy: 1'), 'websocket')
    await outcome(originOf('the file above', 'https', 'trustProxy: 0'), 'websocket')
    expect([trusted, direct]).toEqual([[`ann at ${CLIENT}`], ['ann at 127.0.0.1']])
  })

  test('[X1] in Chromium a sign-in by cookie works, and a refused page shows the reason', async () => {
    const browser = await openBrowser()
    onTestFinished(() => browser.close())
    const visitor = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
    const states: Record<string, unknown> = {}
    for (const headers of ['`Host` of the upstream, and `X-Forwarded-Host`', 'none'] as const) {
      const origin = originOf(headers, 'https', 'trustProxy: 1')
      await visitor.goto(`${origin}/sign-in`)
      states[headers] = await eventually(async () => {
        const state = await visitor.title()
        expect(state).not.toBe('')
        return state
      })
      if (headers === 'none')
        expect(states[headers]).toBe(
          `closed FORBIDDEN Origin not allowed: ${origin}. Add it to \`origins\`, or set \`trustProxy\` if a proxy changes the host.`,
        )
      else expect(states[headers]).toBe('connected')
    }
  })
})

let client: string | undefined

/** The client, as one file for browsers. */
async function clientFile(): Promise<string> {
  const input = new URL(import.meta.resolve('@tutti/client')).pathname
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@tutti/source', 'browser'] },
    build: { write: false, lib: { entry: input, formats: ['es'] }, minify: false },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (output === undefined || !('output' in output)) throw new Error('Nothing was built.')
  return output.output[0].code
}

/** A page that signs its visitor in and shows the state of the connection in its title. */
const page: RequestListener = (request, response) => {
  if (request.url === '/client.js') {
    response.setHeader('content-type', 'text/javascript')
    void (async () => response.end((client ??= await clientFile())))()
    return
  }
  response.setHeader('content-type', 'text/html')
  response.setHeader('set-cookie', 'session=ann; Path=/; HttpOnly; SameSite=Lax; Secure')
  response.end(`<script type="module">
    import { createRealtimeClient } from '/client.js'
    const { connection } = createRealtimeClient()
    connection.subscribe(({ status, reason }) => {
      if (status === 'connected') document.title = status
      if (status === 'closed') document.title = [status, reason.code, reason.message].join(' ')
    })
  </script>`)
}

describe('two instances behind nginx', () => {
  let instances: Instance[]
  const origins = { plain: '', sticky: '' }
  beforeAll(async () => {
    instances = await Promise.all([1, 2].map(() => start({ trustProxy: 1, authenticate: undefined })))
    const [first, second] = instances.map(({ port }) => String(port))
    const upstream = (block: string): string => replaced(replaced(blockOf(block), '3000', first ?? ''), '3001', second ?? '')
    const certificate = makeCertificate()
    closing.push(() => certificate.remove())
    const serve = async (block: string, server: string): Promise<string> => {
      const port = await freePort()
      const nginx = await startNginx(
        [MAP, upstream(block), placed(server, { scheme: 'http', port, certificate, upstream: 'http://tutti' })].join('\n'),
      )
      closing.push(() => nginx.stop())
      return `http://127.0.0.1:${port}`
    }
    origins.plain = await serve('nginx-upstream', SERVER)
    origins.sticky = await serve('nginx-sticky', replaced(SERVER, 'location / {\n', `location / {\n${blockOf('nginx-sticky-cookie')}`))
  })

  /** The instance that a client reaches, or why it reaches none. */
  const reached = async (origin: string, transport: string): Promise<string> => {
    const socket = io(origin, {
      transports: [transport],
      forceNew: true,
      reconnection: false,
      withCredentials: true,
      extraHeaders: { origin },
    })
    const instance = await new Promise<string>((resolve) => {
      socket.once('server:hello', ({ instance: id }: { instance: string }) => resolve(id))
      socket.once('connect_error', (error) => resolve(error.message))
    })
    socket.disconnect()
    return instance
  }

  /** The instances that consecutive clients reach, until both are included. */
  const allReached = async (origin: string, transport: string): Promise<Set<string>> => {
    const seen = new Set<string>()
    for (let time = 0; time < 40 && seen.size < 2; time += 1) seen.add(await reached(origin, transport))
    return seen
  }

  test('[C3] WebSocket needs no sticky sessions', async () => {
    expect(await allReached(origins.plain, 'websocket')).toEqual(new Set(instances.map(({ id }) => id)))
  })

  test('[C3] polling works with the sticky cookie', async () => {
    expect(await allReached(origins.sticky, 'polling')).toEqual(new Set(instances.map(({ id }) => id)))
  })

  test('[C3] polling without sticky sessions shows a reason that names them', async () => {
    const client = createRealtimeClient({ url: origins.plain, transports: ['polling'] })
    onTestFinished(() => client.close())
    await eventually(() => expect(client.connection.current.reason?.message).toMatch(/sticky sessions/))
    expect(client.connection.current.status).not.toBe('closed')
  })
})

test('[docs] the health check of the deployment page works, and its server listens', async () => {
  const port = await freePort()
  const example = startExample(deployment, {
    block: 0,
    folder: new URL('./', import.meta.url),
    edit: (code) => replaced(code, '3000', String(port)),
  })
  onTestFinished(async () => void (await example.stop()))
  const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  await eventually(async () => expect(await status('/healthz'), example.complaints).toBe(200))
  expect(await status('/other')).toBe(404)
  expect(await status('/socket.io/?EIO=4&transport=polling')).toBe(200)
})
