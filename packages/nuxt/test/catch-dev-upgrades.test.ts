import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { catchDevUpgrades } from '../src/catch-dev-upgrades.ts'

test('[C3] an upgrade that the dev server cannot pass on closes its socket', async () => {
  const calls: unknown[][] = []
  const server = {
    upgrade: (...args: unknown[]): Promise<void> => {
      calls.push(args)
      return Promise.reject(new Error('read ECONNRESET'))
    },
  }
  catchDevUpgrades({ server })
  const socket = new PassThrough()
  await expect(server.upgrade('request', socket, 'head')).resolves.toBeUndefined()
  expect(calls).toEqual([['request', socket, 'head']])
  expect(socket.destroyed).toBe(true)
})

test('[C3] a Nuxt without a dev server for upgrades is left as it is', () => {
  for (const server of [undefined, {}, { upgrade: true }]) {
    catchDevUpgrades({ server })
    expect(server).toEqual(structuredClone(server))
  }
})
