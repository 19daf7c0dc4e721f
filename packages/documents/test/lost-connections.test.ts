import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { eventually, startPostgres } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { postgresStore } from '../src/server/index.ts'

/** A proxy that resets each connection instead of the part after so many of the client. */
async function startResettingProxy(target: { host: string; port: number }) {
  const proxy = { port: 0, partsUntilReset: Infinity }
  const server = createServer((client) => {
    const upstream = connect(target)
    let parts = 0
    client.on('data', (bytes) => {
      parts += 1
      if (parts > proxy.partsUntilReset) client.resetAndDestroy()
      else upstream.write(bytes)
    })
    client.on('error', () => {}).on('close', () => upstream.destroy())
    upstream.on('error', () => {}).on('close', () => client.destroy())
    upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return Object.assign(proxy, { port })
}

// An unhandled rejection of the driver ends the test run, as it ends a process.
test('[D5] connections to PostgreSQL that are reset at any time end no process', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const proxy = await startResettingProxy({ host: postgres.host, port: postgres.port })
  const url = (await postgres.createDatabase()).replace(`:${postgres.port}/`, `:${proxy.port}/`)
  for (let parts = 0; parts < 8; parts += 1) {
    for (const isReady of [false, true]) {
      const store = postgresStore({ url })
      if (isReady) await store.ready
      proxy.partsUntilReset = parts
      // At once, so that each has a connection; a document is loaded in a transaction.
      const calls = [1, 2, 3].flatMap((n) => [store.create({ id: `${parts}:${isReady}:${n}` }), store.load(`${n}`)])
      const outcomes = await Promise.allSettled(calls)
      for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'UNAVAILABLE' })
      proxy.partsUntilReset = Infinity
      expect(await eventually(() => store.create({ id: `${parts}:${isReady}` }))).toBe(true)
      await store.close()
    }
  }
})
