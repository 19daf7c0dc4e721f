import { eventually, seededRandom } from '@tutti/test-kit'
import type { MemberIdentity } from '../src/index.ts'
import { expect, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis, type TestInstance } from './cluster.ts'

const server = useRedis()
const ROOMS = ['a', 'b', 'c']

interface Expected {
  client: MemberIdentity
  room: string
  at: TestInstance
}

test('[P3] exactly the members of killed instances that do not reconnect are removed', async () => {
  const random = seededRandom(Date.now() % 100_000)
  const { prefix, keys } = server.prefix()
  const start = () => startInstance({ url: server.redis.url, prefix })
  const observer = await start()
  const seen = new Map(await Promise.all(ROOMS.map(async (room) => [room, await record(observer.coordination.members(room))] as const)))
  const instances = [await start(), await start(), await start()]
  const expected = new Map<string, Expected>()
  const dead = new Set<string>()
  const joinAt = async (at: TestInstance, room: string, client: MemberIdentity): Promise<string> => {
    const { id } = await at.coordination.members(room).join(client, client.connectionId)
    expected.set(id, { client, room, at })
    return id
  }

  for (let round = 0; round < 5; round += 1) {
    for (let n = 0; n < 12; n += 1) await joinAt(random.pick(instances), random.pick(ROOMS), freshClient())
    const [dying] = instances.splice(random.below(instances.length), 1)
    if (dying === undefined) throw new Error('There are three.')
    await dying.kill()
    for (const [id, { client, room, at }] of [...expected].filter(([, member]) => member.at === dying)) {
      if (random.below(2) === 0) {
        expected.delete(id)
        dead.add(id)
      } else expect(await joinAt(random.pick(instances), room, reconnected(client)), `seed ${random.seed}`).toBe(id)
      expect(at).toBe(dying)
    }
    instances.push(await start())
    for (const [room, view] of seen) {
      const ids = [...expected].filter(([, member]) => member.room === room).map(([id]) => id)
      await eventually(() => expect([...view.view.members.keys()].toSorted(), `seed ${random.seed}`).toEqual(ids.toSorted()))
    }
  }
  const left = [...seen.values()].flatMap((view) => view.left)
  expect(left.toSorted(), `seed ${random.seed}`).toEqual([...dead].toSorted())
  const live = instances.filter(({ coordination }) => [...expected.values()].some(({ at }) => at.coordination === coordination))
  await eventually(async () => {
    const holds = (await keys()).filter((key) => key.endsWith('$holds'))
    expect(holds).toEqual(live.map(({ coordination }) => `{${prefix}$instance:${coordination.instance.id}}$holds`).toSorted())
    expect(await keys()).not.toContain(`{${prefix}$instances:all}$ended`)
  })
})
