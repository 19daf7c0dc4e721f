import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, startRedis } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { createNitroApp } from '../nitro-app.ts'
import { nitroSuite } from '../nitro-suite.ts'
import { connectPlain } from '../serve.ts'

const SOURCE = new URL('app', import.meta.url)
const README = new URL('../../README.md', import.meta.url)
const VITE = 'node_modules/vite/bin/vite.js'
const dev = (port: number): string[] => [VITE, 'dev', '--host', '127.0.0.1', '--port', String(port)]

nitroSuite('Nitro 3', { source: SOURCE, build: [VITE, 'build'], dev, withoutSignals: { CI: 'true' } })

test("[README] the example for Nitro runs unchanged, on one port with Vite's updates", async () => {
  const [app, redis] = await Promise.all([createNitroApp(SOURCE), startRedis()])
  onTestFinished(async () => {
    await app.remove()
    await redis.stop()
  })
  const blocks = [...(await readFile(README, 'utf8')).matchAll(/^```ts\n\/\/ (server\/[^\n]*)\n(.*?)^```$/gms)]
  expect(blocks).toHaveLength(2)
  for (const [, file = '', code = ''] of blocks) await writeFile(join(app.folder, file), code)
  const server = await app.serve(dev, { REDIS_URL: redis.url })
  onTestFinished(() => server.kill())

  const client = await connectPlain(server.url)
  await client.request('storage:subscribe', { keys: [{ key: 'visits' }] })
  expect(await (await fetch(`${server.url}/visits`)).json()).toMatchObject({ value: 1 })
  await eventually(() => expect(client.of('storage:updated')).toMatchObject([{ key: 'visits', value: 1 }]))

  const { token = '' } = /const wsToken = "(?<token>[^"]*)"/.exec(await (await fetch(`${server.url}/@vite/client`)).text())?.groups ?? {}
  const hot = new WebSocket(`${server.url.replace('http', 'ws')}/?token=${token}`, 'vite-hmr')
  const greeting = await new Promise((resolve) =>
    hot.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data))), { once: true }),
  )
  expect(greeting).toEqual({ type: 'connected' })
  hot.close()
  client.socket.disconnect()
})
