import { durableChannel, publishDurable, subscribeDurable, type DurableChannel } from '@tutti/client/durable'
import { RealtimeError, toWireError } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { manualClock } from '../manual-clock.ts'
import { ModelServer } from '../model-server.ts'
import { connectedClient, settled, startClient } from '../setup-client.ts'

const shown = ({ current }: DurableChannel<unknown>): unknown[] => current.records.map(({ data }) => data)
const waiting = ({ current }: DurableChannel<unknown>): unknown[] => current.pending.map(({ data }) => data)

test('[E6] a channel shows its newest events, older ones by page, and new ones', async () => {
  const { client, server } = await connectedClient()
  for (let number = 0; number < 10; number += 1) void publishDurable(client, 'chat:a', number)
  await server.flush()
  const channel = durableChannel<number>(client, 'chat:a', { rewind: 4 })
  expect(channel.current).toMatchObject({ records: [], loading: true, hasMore: true })
  await server.flush()
  expect([shown(channel), channel.current.loading]).toEqual([[6, 7, 8, 9], false])
  void channel.loadMore(3)
  await server.flush()
  expect([shown(channel), channel.current.hasMore]).toEqual([[3, 4, 5, 6, 7, 8, 9], true])
  void channel.loadMore()
  void channel.publish(10)
  await server.flush()
  expect([shown(channel), channel.current.hasMore]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false])
  expect(channel.current.records.map(({ offset }) => offset)).toEqual(server.logs.offsets('chat:a'))
})

test('[E11] an event written offline is pending until it is a record', async () => {
  const { client, server, clock } = await connectedClient()
  const channel = durableChannel<string>(client, 'chat:a')
  await server.flush()
  server.link.cut()
  void channel.publish('offline')
  expect([shown(channel), waiting(channel)]).toEqual([[], ['offline']])
  const states: unknown[] = []
  channel.subscribe(({ records, pending }) => states.push(records.length + pending.length))
  clock.advance(1_000)
  await server.flush()
  expect([shown(channel), waiting(channel)]).toEqual([['offline'], []])
  expect(new Set(states)).toEqual(new Set([1]))
})

test('[E6] all handles of a client on one channel share its records', async () => {
  const { client, server } = await connectedClient()
  for (let number = 0; number < 10; number += 1) void publishDurable(client, 'chat:a', number)
  await server.flush()
  const end = subscribeDurable(client, 'chat:a', () => {})
  const one = durableChannel(client, 'chat:a', { rewind: 2 })
  await server.flush()
  const other = durableChannel(client, 'chat:a', { rewind: 5 })
  await server.flush()
  expect([shown(one), shown(other)]).toEqual([
    [5, 6, 7, 8, 9],
    [5, 6, 7, 8, 9],
  ])
  expect(server.logged('event:subscribe')).toHaveLength(1)
  for (const handle of [one, other, one]) handle.dispose()
  await server.flush()
  expect(server.logged('event:unsubscribe')).toHaveLength(0)
  end()
  await server.flush()
  expect(server.logged('event:unsubscribe')).toEqual([{ channel: 'chat:a', durable: true }])
  const again = durableChannel(client, 'chat:a', { rewind: 1 })
  await server.flush()
  expect(shown(again)).toEqual([9])
})

test('[E6] a gap, a refusal and a page that was trimmed are shown', async () => {
  const { client, server, clock } = await connectedClient()
  const writer = await connectedClient({}, server, clock)
  const channel = durableChannel(client, 'chat:a')
  await server.flush()
  const [link] = server.openLinks
  link?.cut()
  for (let number = 0; number < 6; number += 1) void publishDurable(writer.client, 'chat:a', number)
  await server.flush()
  server.logs.trim('chat:a', 4)
  clock.advance(1_000)
  await server.flush()
  expect(shown(channel)).toEqual([4, 5])
  expect(channel.current.gap).toEqual({ from: '1-0', offset: '1-4' })
  server.logs.trim('chat:a', 2)
  void channel.loadMore()
  await server.flush()
  expect(channel.current.hasMore).toBe(false)
  const error = toWireError(new RealtimeError('FORBIDDEN'))
  for (const open of server.openLinks) open.notify({ name: 'server:revoked', payload: { target: { channel: 'chat:a' }, error } })
  await server.flush()
  expect(channel.current.error).toMatchObject({ code: 'FORBIDDEN' })
})

test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('[E6] all clients show the log, each event once (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const [server, clock] = [new ModelServer(), manualClock()]
  const clients = [1, 2, 3].map(() => startClient({ random: () => random.next() }, server, clock))
  const handles: { channel: DurableChannel<number>; client: number }[] = []
  let published = 0
  const open = (client: number): void => {
    const started = clients[client]
    if (started === undefined) return
    handles.push({ channel: durableChannel<number>(started.client, 'chat:a', { rewind: random.below(8) }), client })
  }
  clients.forEach((_, client) => open(client))
  const link = () => (server.openLinks.length > 0 ? random.pick(server.openLinks) : undefined)
  const steps: Record<string, () => void> = {
    publish: () => void random.pick(handles).channel.publish((published += 1)),
    up: () => void server.openLinks.some((each) => server.deliverUp(each)),
    down: () => {
      const chosen = link()
      if (chosen) server.deliverDown(chosen)
    },
    wait: () => clock.advance(random.below(3_000)),
    cut: () => link()?.cut(),
    more: () => void random.pick(handles).channel.loadMore(random.below(5) + 1),
    // A component ends, and another one begins in the same turn.
    replace: () => {
      const [handle] = handles.splice(random.below(handles.length), 1)
      handle?.channel.dispose()
      open(handle?.client ?? 0)
    },
  }
  const names = ['publish', 'up', 'up', 'up', 'down', 'down', 'down', 'down', 'wait', 'cut', 'more', 'replace']
  for (let step = 0; step < 250; step += 1) {
    steps[random.pick(names)]?.()
    await settled()
  }
  for (let round = 0; round < 10; round += 1) {
    await server.flush()
    clock.advance(30_000)
  }
  await server.flush()
  const log = server.logs.data('chat:a')
  expect(new Set(log).size).toBe(log.length)
  for (const { channel } of handles) {
    expect(waiting(channel)).toEqual([])
    const first = log.indexOf(channel.current.records[0]?.data ?? -1)
    expect(shown(channel)).toEqual(first < 0 ? [] : log.slice(first))
  }
})
