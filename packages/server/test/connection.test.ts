import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { serve } from './serve.ts'
import { createSubscriptions } from '../src/connection/connection.ts'

test('[C1] a feature is notified once when a connection begins and ends', async () => {
  const steps: string[] = []
  const served = await serve({
    features: [
      () => ({
        name: 'watching',
        handlers: [],
        onConnect: ({ id }) => steps.push(`here ${id}`),
        onDisconnect: ({ id, connected }) => steps.push(`gone ${id} ${connected}`),
      }),
    ],
  })
  const { socket } = await served.connect()
  const { id } = socket
  socket.disconnect()
  await eventually(() => expect(steps).toEqual([`here ${id}`, `gone ${id} false`]))
  await served.close()
  expect(steps).toHaveLength(2)
})

test('[X5] clients receive the byte limit of a message', async () => {
  const served = await serve({ limits: { maxPayloadBytes: 5_000 } })
  const client = await served.connect()
  await eventually(() => expect(client.of('server:hello')).toMatchObject([{ limits: { maxPayloadBytes: 5_000 } }]))
  await served.close()
})

test('[X5] subscriptions are counted once each, all of a message or none', () => {
  const subscriptions = createSubscriptions(3)
  expect([...subscriptions.all]).toEqual([])
  expect(subscriptions.add(['a', 'b'])).toEqual(['a', 'b'])
  expect(() => subscriptions.add(['c', 'd'])).toThrow(expect.objectContaining({ code: 'TOO_MANY_SUBSCRIPTIONS' }))
  expect([...subscriptions.all]).toEqual(['a', 'b'])
  expect(['a', 'c'].map((name) => subscriptions.has(name))).toEqual([true, false])
  expect(subscriptions.add(['a', 'b', 'c'])).toEqual(['c'])
  subscriptions.delete('a')
  expect([...subscriptions.all]).toEqual(['b', 'c'])
})
