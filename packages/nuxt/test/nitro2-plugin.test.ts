import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { build, createNitro, prepare } from 'nitropack/core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { definitionModule } from '../src/definition-files.ts'
import { startServer, type NuxtServer } from './nuxt-server.ts'

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

let folder: string
let server: NuxtServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-nitro2-'))
  await buildApplication()
  server = await serve()
  for (const key of ['open', 'notes:ann', 'notes:ben']) await put(key, `value of ${key}`)
})
afterAll(async () => {
  await server.kill()
  await rm(folder, { recursive: true })
})

/** Builds an application of Nitro 2 with the plugin and the config that the module adds. */
async function buildApplication(): Promise<void> {
  const nitro = await createNitro({
    rootDir: pathOf('nitro2-app'),
    buildDir: join(folder, 'build'),
    output: { dir: join(folder, 'output') },
    preset: 'node-server',
    compatibilityDate: '2026-01-01',
    logLevel: 0,
    experimental: { websocket: true },
    exportConditions: ['@tutti/source'],
    externals: { trace: false },
    imports: false,
    typescript: { generateTsConfig: false },
    plugins: [pathOf('../src/runtime/server/nitro2-plugin.ts')],
    virtual: { '#tutti/definition': definitionModule({ definition: pathOf('nitro2-app/realtime.ts'), schema: undefined }) },
    // As Nuxt sets it.
    runtimeConfig: { nitro: { envPrefix: 'NUXT_' }, tutti: { redisUrl: '', redis: {}, dataDir: '' }, public: { tutti: { url: '' } } },
    routeRules: { '/cached': { swr: 60 }, '/public': { headers: { 'cache-control': 's-maxage=60' } } },
    handlers: [
      ...['/', '/cached', '/public'].map((route) => ({ route, handler: pathOf('nitro2-app/page.ts') })),
      { route: '/put', handler: pathOf('nitro2-app/put.ts') },
    ],
  })
  await prepare(nitro)
  await build(nitro)
  await nitro.close()
}

const serve = (env: Record<string, string> = {}, path = '/'): Promise<NuxtServer> =>
  startServer({ cwd: folder, args: ['output/server/index.mjs'], env: { NODE_OPTIONS: '--conditions=@tutti/source', ...env } }, path)

const request = async (path: string, user: string, of = server): Promise<unknown> =>
  (await fetch(of.url + path, { headers: { cookie: user } })).json()
const put = (key: string, value: string): Promise<unknown> => request(`/put?${new URLSearchParams({ key, value })}`, 'ann')

test('[X11] the plugin reads for a page with the rights of its user', async () => {
  const refused = expect.stringContaining('state:read')
  const open = 'value of open'
  expect(await request('/', 'ann')).toEqual({ open, 'notes:ann': 'value of notes:ann', 'notes:ben': refused })
  expect(await request('/', 'ben')).toEqual({ open, 'notes:ann': refused, 'notes:ben': 'value of notes:ben' })
})

test('[X11] the plugin reads for a cached page as a client without credentials', async () => {
  for (const path of ['/cached', '/public']) {
    for (const user of ['ann', 'ben']) {
      expect(await request(path, user)).toEqual({ open: 'value of open', 'notes:ann': 'loading', 'notes:ben': 'loading' })
    }
  }
})

test('[S11] the plugin mounts the state as storage `tutti`, with live changes', async () => {
  const client = createRealtimeClient({ url: server.url })
  onTestFinished(() => client.close())
  const open = client.state<string>('open')
  await eventually(() => expect(open.current.value).toBe('value of open'))
  expect(await put('open', 'changed')).toMatchObject({ key: 'open', value: 'changed' })
  await eventually(() => expect(open.current.value).toBe('changed'))
  await put('open', 'value of open')
})

test('[C3] below the base URL of an application clients connect, by a WebSocket too', async () => {
  const below = await serve({ NUXT_APP_BASE_URL: '/app/' }, '/app/')
  onTestFinished(() => below.kill())
  await request('/app/put?key=open&value=below', 'ann', below)
  for (const transports of [['websocket'], ['polling']] as const) {
    const client = createRealtimeClient({ url: below.url, path: '/app/socket.io', transports })
    const open = client.state<string>('open')
    await eventually(() => expect(open.current.value).toBe('below'))
    await client.close()
  }
})

test('[C3] with NUXT_PUBLIC_TUTTI_URL the plugin starts no realtime server', async () => {
  const without = await serve({ NUXT_PUBLIC_TUTTI_URL: 'http://127.0.0.1:1' })
  onTestFinished(() => without.kill())
  expect(await request('/', 'ann', without)).toMatchObject({ open: 'no reader' })
  expect((await fetch(`${without.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(404)
})
