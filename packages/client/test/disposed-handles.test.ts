import { publishDurable, subscribeDurable } from '@tutti/client/durable'
import { presence } from '@tutti/client/presence'
import { room } from '@tutti/client/room'
import { expect, test } from 'vitest'
import { collection } from '../src/collection/collection.ts'
import { connectedClient, settled } from './setup-client.ts'

test('[S15] a collection that is disposed of at once leaves no subscription', async () => {
  const { client, server } = await connectedClient()
  collection(client, 'todos:').dispose()
  await server.flush()
  expect([...server.link.prefixes]).toEqual([])
})

/** A room that one handle has left and another one joins. */
async function joinedBySecond() {
  const connected = await connectedClient()
  const { client, server } = connected
  const first = room(client, 'proj')
  first.join()
  await server.flush()
  first.leave()
  await server.flush()
  const second = room(client, 'proj')
  second.join()
  return { ...connected, first, second }
}

test('[R1] a handle that joins again and leaves does not end another membership', async () => {
  const { server, first, second } = await joinedBySecond()
  await server.flush()
  first.join()
  first.leave()
  await server.flush()
  expect([...server.link.rooms]).toEqual(['proj'])
  expect(second.current.joined).toBe(true)
})

test('[R1] both handles show that the room is joined', async () => {
  const { server, clock, first, second } = await joinedBySecond()
  first.join()
  await server.flush()
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect([first.current.joined, second.current.joined]).toEqual([true, true])
})

test('[P1] what ends while its connection is lost is not shown again', async () => {
  const { client, server, clock } = await connectedClient()
  server.presence.change('doc:1', 'ada', 'Ada')
  const first = presence(client, 'doc:1', { info: 'me' })
  await server.flush()
  first.dispose()
  // The last messages are sent, and lost with the connection.
  await settled()
  server.link.cut()
  server.presence.change('doc:1', 'ada', undefined)
  clock.advance(1_000)
  await server.flush()
  const second = presence(client, 'doc:1', { info: 'me' })
  expect(second.current).toMatchObject({ members: [], loading: true, joined: false })
})

test('[E6] a resumed subscription beside a pattern neither skips nor repeats events', async () => {
  const { client, server, clock } = await connectedClient()
  const other = await connectedClient({}, server)
  const received: unknown[] = []
  client.events.subscribe('chat:*', () => {})
  subscribeDurable(client, 'chat:a', (data) => received.push(data))
  const publish = async (data: string): Promise<void> => {
    void publishDurable(other.client, 'chat:a', data)
    await server.flush()
  }
  await publish('1')
  server.links[0]?.cut()
  await publish('2')
  clock.advance(1_000)
  await settled()
  const resumed = server.link
  server.deliverDown(resumed)
  await settled()
  // The pattern is subscribed again. The request for the channel has yet to arrive.
  const [ofChannel] = resumed.up.splice(
    resumed.up.findIndex(({ request }) => request.name === 'event:subscribe' && request.payload.channel === 'chat:a'),
    1,
  )
  if (ofChannel === undefined) throw new Error('not requested')
  await publish('3')
  const offset = server.logs.offsets('chat:a').at(-1) ?? ''
  resumed.notify({ name: 'event:received', payload: { channel: 'chat:a', data: '3', offset } })
  await server.flush()
  resumed.up.push(ofChannel)
  await server.flush()
  expect(received).toEqual(['1', '2', '3'])
})
