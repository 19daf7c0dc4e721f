import { connect as connectTcp } from 'node:net'
import { createServer, type ConnectionOptions } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { connect, testRedis } from './setup.ts'

// A pre-shared key instead of certificates, which Node cannot create.
const psk = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
const tls: ConnectionOptions = { ...common, pskCallback: () => ({ psk, identity: 'tutti' }), checkServerIdentity: () => undefined }

async function tlsProxy(target: { host: string; port: number }): Promise<number> {
  const server = createServer({ ...common, pskCallback: () => psk, pskIdentityHint: 'tutti' }, (socket) => {
    const upstream = connectTcp(target.port, target.host)
    socket.on('error', () => {}).pipe(upstream)
    upstream.on('error', () => {}).pipe(socket)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('[N8] `tls` and rediss: use TLS with the given options', async () => {
  const redis = await testRedis()
  const port = await tlsProxy(redis)
  for (const options of [
    { host: '127.0.0.1', port, tls },
    { url: `rediss://127.0.0.1:${port}`, tls },
  ]) {
    const { pubsub } = connect(options)
    await pubsub.link.ready
    expect(await pubsub.link.command('PING')).toBe('PONG')
    await pubsub.dispose()
  }
})

test('[N8] TLS is required by a TLS server, and `tls: true` verifies its identity', async () => {
  const redis = await testRedis()
  const port = await tlsProxy(redis)
  for (const options of [{ port }, { port, tls: true }, { url: `rediss://127.0.0.1:${port}` }]) {
    const { pubsub } = connect(options.url === undefined ? { host: '127.0.0.1', ...options } : options)
    await new Promise<void>((resolve) => void pubsub.onStatus((status) => status === 'unavailable' && resolve()))
    await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  }
})
