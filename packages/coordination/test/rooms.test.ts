import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis } from './cluster.ts'

const server = useRedis()
const start = (prefix: string, options = {}) => startInstance({ url: server.redis.url, prefix }, options)

/** Closes the connections on which instances receive messages, so that they read again. */
const cutSubscribers = async (): Promise<void> => void (await server.client.client('KILL', 'TYPE', 'pubsub'))

test('[P1] a room with a missed message is read again, missing members follow later', async () => {
  const { prefix } = server.prefix()
  const [reader, writer] = [await start(prefix), await start(prefix)]
  const [key, version, channel] = [`{${prefix}$room:a}$members`, `{${prefix}$room:a}$version`, `${prefix}:$room:a`]
  const lease = writer.coordination.instance.id
  const put = (id: string, info: string) => server.client.hset(key, `bob:${id}`, `${lease} c 1 ${id} l bob ${info}`)
  await put('kept', '1')
  await put('gone', '1')
  await server.client.set(version, 10)
  const seen = await record(reader.coordination.members('a'))
  expect([...seen.view.members.keys()].toSorted()).toEqual(['gone', 'kept'])
  // The message of this change is lost.
  await put('kept', '2')
  await server.client.hdel(key, 'bob:gone')
  await server.client.set(version, 11)
  await put('new', '')
  await server.client.set(version, 12)
  await server.client.publish(channel, 'c 12 11 2\n+ new bob ')
  await seen.until(() => seen.view.members.has('new'))
  expect(seen.changes).toMatchObject([{ joined: [{ id: 'new' }], updated: [{ id: 'kept', info: 2 }], left: [], count: 3 }])
  await seen.until(() => seen.changes.length > 1)
  expect(seen.changes[1]).toEqual({ joined: [], updated: [], left: ['gone'], count: 2 })
  // A leave that is announced is reported at once, and one of an older version not at all.
  await server.client.publish(channel, 'c 13 12 1\n- kept')
  await server.client.publish(channel, 'c 12 11 2\n- new')
  await seen.until(() => seen.changes.length > 2)
  expect(seen.changes[2]).toEqual({ joined: [], updated: [], left: ['kept'], count: 1 })
})

test('[P1] changes during an outage of the subscriptions arrive after it', async () => {
  const { prefix } = server.prefix()
  const [writer, reader] = [await start(prefix), await start(prefix)]
  const members = writer.coordination.members('a')
  const seen = await record(reader.coordination.members('a'))
  for (let round = 1; round <= 5; round += 1) {
    const cut = cutSubscribers()
    const client = freshClient()
    // Without a confirmed subscription a join is refused as retryable.
    const { id } = await eventually(() => members.join(client, round))
    await cut
    await seen.until(() => seen.view.members.has(id) && seen.view.count === round)
  }
  expect(seen.left).toEqual([])
})

test('[P2] a connection continued elsewhere does not return with a read of the room', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const client = freshClient()
  const { id } = await here.join(client, 1)
  const seen = await record(there)
  const again = reconnected(client)
  expect((await there.join(again, 1)).id).toBe(id)
  await cutSubscribers()
  await there.update(again.connectionId, 2)
  await seen.until(() => seen.view.members.get(id)?.info === 2)
  await here.update(client.connectionId, 3)
  await there.leave(again.connectionId)
  await cutSubscribers()
  const newcomer = freshClient()
  const other = await eventually(() => here.join(newcomer))
  await seen.until(() => seen.view.members.has(other.id))
  expect([...seen.view.members.keys()]).toEqual([other.id])
  expect(await server.client.hlen(`{${prefix}$room:a}$members`)).toBe(1)
})

test('[P2] a connection that was continued and left elsewhere is not written again', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const client = freshClient()
  const { id } = await here.join(client, 1)
  const seen = await record(here)
  const again = reconnected(client)
  await there.join(again, 1)
  await there.leave(again.connectionId)
  await there.join(freshClient())
  await seen.until(() => seen.left.length > 0 && seen.view.count === 1)
  const requests: string[] = []
  await second.pubsub.link.subscribe('$room:a', (text) => void requests.push(text)).ready
  const clients = String(await server.client.client('LIST')).split('\n')
  const subscriber = clients.find((line) => line.includes(`${first.pubsub.instanceId}:sub`))
  await server.client.client('KILL', 'ID', /^id=(\d+)/.exec(subscriber ?? '')?.[1] ?? '')
  // An instance that has read the room requests cursors, and then writes.
  await eventually(() => expect(requests).toContain(`w ${first.pubsub.instanceId}`))
  await first.pubsub.link.command('PING')
  await first.pubsub.link.command('PING')
  await here.join(freshClient())
  expect(seen.view.count).toBe(2)
  expect(seen.view.members.has(id)).toBe(false)
})

test('[P3] the later of two connections of a client wins after a loss of data', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const client = freshClient()
  const { id } = await here.join(client, 1)
  const again = reconnected(client)
  await there.join(again, 1)
  const seen = await record(there)
  await server.redis.restart()
  await eventually(async () => {
    const [text = ''] = await server.client.hvals(`{${prefix}$room:a}$members`)
    expect(text.split(' ').slice(0, 2)).toEqual([second.coordination.instance.id, again.connectionId])
  })
  await eventually(() => here.leave(client.connectionId))
  await eventually(() => there.update(again.connectionId, 2))
  await seen.until(() => seen.view.members.get(id)?.info === 2)
  expect(seen.left).toEqual([])
})

test('[N4] a message that is malformed is reported and changes nothing', async () => {
  const { prefix } = server.prefix()
  const { coordination, errors } = await start(prefix)
  const seen = await record(coordination.members('a'))
  const messages = [
    '',
    'c',
    'c 1 2',
    'c 1 0 1\n+ id',
    'c 1 0 1\n+ id ann {',
    'c 1 0 1\n+ id %zz 1',
    'c 1 0 1\n? x',
    'k x\n[]',
    'k x\n{',
    'z 1',
  ]
  for (const message of messages) await server.client.publish(`${prefix}:$room:a`, message)
  await coordination.members('a').join(freshClient())
  expect(seen.changes).toHaveLength(1)
  const expected = [expect.objectContaining({ code: 'INVALID_MESSAGE' }), { stage: 'message', room: 'a' }]
  expect(errors).toEqual(messages.map(() => expected))
})

test('[P1] a join without Redis is refused, and takes effect when repeated', async () => {
  const { prefix } = server.prefix()
  const { coordination, pubsub, errors } = await start(prefix)
  const members = coordination.members('a')
  const stable = freshClient()
  const { id } = await members.join(stable, 1)
  await server.redis.kill()
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await expect(members.join(freshClient())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(members.update(stable.connectionId, 2)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(coordination.members('b').join(freshClient())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(coordination.members('b').observe().ready).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await server.redis.restart()
  const seen = await eventually(() => record(coordination.members('b')))
  const client = freshClient()
  await eventually(() => coordination.members('b').join(client))
  expect(seen.view.count).toBe(1)
  const view = await record(members)
  await view.until(() => view.view.count === 1)
  expect([...view.view.members.values()]).toMatchObject([{ id, info: 1 }])
  expect(errors.filter((error) => !JSON.stringify(error).includes('heartbeat'))).toEqual([])
})

test('an instance follows a room only while it has members or views of it', async () => {
  const { prefix, keys } = server.prefix()
  const { coordination } = await start(prefix)
  const members = coordination.members('a')
  const subscribers = async (): Promise<unknown> => (await server.client.pubsub('NUMSUB', `${prefix}:$room:a`))[1]
  const { view } = await record(members)
  const client = freshClient()
  await members.join(client)
  view.close()
  expect(await subscribers()).toBe(1)
  expect(await keys()).toContain(`{${prefix}$instance:${coordination.instance.id}}$holds`)
  await members.leave(client.connectionId)
  await eventually(async () => {
    expect(await subscribers()).toBe(0)
    expect(await keys()).toEqual([`{${prefix}$instances:all}$leases`])
  })
})

test('[P2] a member that leaves and joins again at once is there', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await start(prefix)
  const members = coordination.members('a')
  const seen = await record(members)
  const client = freshClient()
  for (let round = 0; round < 5; round += 1) {
    const joined = members.join(client, round)
    const left = members.leave(client.connectionId)
    const again = members.join(client, round)
    await Promise.allSettled([joined, left])
    const { id } = await again
    expect([...seen.view.members.keys()]).toEqual([id])
  }
})
