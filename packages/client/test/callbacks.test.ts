// oxlint-disable typescript/no-misused-promises -- That is what is tested.
import { createRealtimeClient } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { collectFatalErrors } from '@tutti/test-kit'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { manualClock } from './manual-clock.ts'
import { ModelServer } from './model-server.ts'
import { connectedClient, settled, startClient } from './setup-client.ts'

const { errors: fatal, stop } = collectFatalErrors()
afterAll(stop)

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  await settled()
  expect(fatal).toEqual([])
})

const rejecting = async (): Promise<void> => {
  throw new Error('rejected')
}

test('[X10] the rejection of an async listener is reported and handled', async () => {
  const { client, server, errors } = await connectedClient()
  client.connection.subscribe(rejecting)
  client.state('a').subscribe(rejecting)
  client.events.subscribe('b', rejecting)
  await server.flush()
  void client.state('a').set(1)
  void client.events.publish('b', 1, { includeSelf: true })
  await server.flush()
  client.connection.disconnect()
  await settled()
  expect(errors.length).toBeGreaterThanOrEqual(3)
  expect(errors.every((error) => error instanceof Error && error.message === 'rejected')).toBe(true)
})

test("[X10] without an onError, a listener's error goes to the console or reportError", async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { client, server } = await connectedClient({ onError: undefined })
  const thrown = new Error('thrown')
  const handle = client.state('a')
  handle.subscribe(() => {
    throw thrown
  })
  void handle.set(1)
  expect(log).toHaveBeenCalledWith('Tutti (listener):', thrown)
  const reportError = vi.fn<(error: unknown) => void>()
  vi.stubGlobal('reportError', reportError)
  void handle.set(2)
  expect(reportError).toHaveBeenCalledWith(thrown)
  await server.flush()
})

test('[X10] an onError that throws or rejects is contained', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const { client, server } = await connectedClient({ onError: rejecting })
  client.state('a').subscribe(() => {
    throw new Error('thrown')
  })
  void client.state('a').set(1)
  await server.flush()
  expect(client.state('a').current.value).toBe(1)
})

test.each([
  ['a bigint', { token: 1n }],
  [
    'a cycle',
    Object.assign(
      {},
      {
        get self() {
          return this
        },
      },
    ),
  ],
  ['a class instance', { token: new Map() }],
  ['text', 'token'],
  ['a number', Number.NaN],
])('[X10] `auth` that returns %s closes the connection with the reason, now or later', async (_name, odd) => {
  for (const auth of [() => odd as never, async () => odd as never]) {
    const { client } = startClient({ auth })
    await settled()
    expect(client.connection.current).toMatchObject({ status: 'closed', reason: { code: 'INVALID_VALUE', retryable: false } })
    await client.close()
  }
})

test('[X10] undefined properties of `auth` are omitted', async () => {
  const { client, server } = await connectedClient({ auth: { token: undefined, role: 'editor' } })
  expect(server.link.handshake).toEqual({ role: 'editor', protocol: 1, clientId: client.clientId, features: [] })
})

test('[S13] [E1] a background failure is reported with its stage, or dropped', async () => {
  const stages: string[] = []
  const listening = await connectedClient({ onError: (_, { stage }) => stages.push(stage) })
  const other = new ModelServer()
  const deaf = { client: createRealtimeClient({ transport: other.transport, clock: manualClock() }), server: other }
  await other.flush()
  const fail = (): never => {
    throw new Error('on purpose')
  }
  for (const { client, server } of [listening, deaf]) {
    client.events.subscribe('chat', fail)
    client.state('key').subscribe(fail)
    server.judge = ({ name }) => (name === 'event:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
    await server.flush()
    server.link.notify({ name: 'event:received', payload: { channel: 'chat', data: 1 } })
    await server.flush()
    expect(client.connection.current.status).toBe('connected')
  }
  expect(stages.toSorted()).toEqual(['listener', 'listener', 'subscribe'])
})
