import { expect, test } from 'vitest'
import { serve } from './serve.ts'
import { createConnection, type Connection } from '../src/connection.ts'

test('[X5] what a connection is subscribed to is counted once each, all of a message or none', async () => {
  const served = await serve()
  const connections: Connection[] = []
  served.realtime.io.on('connection', (socket) => connections.push(createConnection(socket, {}, '', 3)))
  await served.connect()
  const [connection] = connections
  if (connection === undefined) throw new Error('not connected')
  const { subscriptions } = connection
  subscriptions.add(['a', 'a', 'b'])
  expect(() => subscriptions.add(['c', 'd'])).toThrow(expect.objectContaining({ code: 'TOO_MANY_SUBSCRIPTIONS' }))
  expect([...subscriptions.all]).toEqual(['a', 'b'])
  expect(['a', 'c'].map((name) => subscriptions.has(name))).toEqual([true, false])
  subscriptions.add(['a', 'b', 'c'])
  subscriptions.delete('a')
  expect([...subscriptions.all]).toEqual(['b', 'c'])
  expect([connection.user, connection.clientId]).toEqual(['', undefined])
  await served.close()
})
