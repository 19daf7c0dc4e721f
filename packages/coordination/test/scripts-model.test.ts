import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { parseMemberRecord } from '../src/redis/member-record.ts'
import { redisLayout } from '../src/redis/redis-layout.ts'
import { parseRoomMessage } from '../src/redis/room-message.ts'
import { createCoordinationScripts } from '../src/redis/room-store.ts'
import { partsOf, textsOf } from '../src/redis/script-reply.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()
const SETTINGS = { ...TIMES, maxMembers: 4, tombstoneMs: 60_000, onError: () => {} } as const
const NAMES = ['ann:1', 'ann:2', ':1', 'bob:1', 'c9', 'c8']
const SEQUENCES: Record<string, number> = { c2: 1, c3: 2, c4: 10 }
const CONNECTIONS = ['c1', ...Object.keys(SEQUENCES)]
const LEASES = ['a.1', 'a.2', 'b.1', 'b.10']
const INFOS = ['', '1', '{"a":" b"}']

interface ModelMember {
  lease: string
  connection: string
  number: number
  id: string
  kind: string
  info: string
}

/** The room as one rule for each script describes it, without versions. */
function createModel(countsMore: boolean) {
  const members = new Map<string, ModelMember>()
  /** Counted members by the number that they had first. */
  const counted = new Map<string, number>()
  const listed = (): number => members.size - counted.size
  const promote = (most: number): void => {
    const next = [...counted].toSorted(([, a], [, b]) => a - b).slice(0, Math.max(0, Math.min(most, SETTINGS.maxMembers - listed())))
    for (const [name] of next) {
      const member = members.get(name)
      if (member !== undefined) member.kind = 'l'
      counted.delete(name)
    }
  }
  const remove = (isGone: (member: ModelMember, name: string) => boolean): number => {
    const gone = [...members].filter(([name, member]) => isGone(member, name))
    for (const [name] of gone) {
      members.delete(name)
      counted.delete(name)
    }
    promote(gone.length)
    return gone.length
  }
  /** `number` is the one that the script replied with, or `restored` where it is known before. */
  const write = (name: string, wanted: Omit<ModelMember, 'number'>, restored: number | undefined, replied: number): string => {
    const old = members.get(name)
    if (old === undefined && restored === undefined && members.size >= SETTINGS.maxMembers && !countsMore) return 'full'
    const isSame = old?.connection === wanted.connection
    if (old !== undefined && !isSame && (SEQUENCES[old.connection] ?? 0) > (SEQUENCES[wanted.connection] ?? Infinity)) return 'superseded'
    if (old !== undefined && restored !== undefined && !isSame && old.number > restored) return 'superseded'
    const isFull = listed() >= SETTINGS.maxMembers || counted.size > 0
    const kind = old?.kind ?? (restored === undefined ? (isFull ? 'c' : 'l') : wanted.kind)
    const id = old !== undefined && (restored === undefined || isSame) ? old.id : wanted.id
    members.set(name, { ...wanted, id, kind, number: replied })
    if (kind === 'c' && !counted.has(name)) counted.set(name, replied)
    if (old === undefined && restored === undefined && kind === 'c') promote(1)
    return 'ok'
  }
  return { members, remove, write }
}

test.each([
  [1, 'refuse'],
  [2, 'count'],
  [3, 'refuse'],
  [4, 'count'],
] as const)('[P3] scripts in random order do what the model does, seed %i, overflow %s', async (seed, overflow) => {
  const random = seededRandom(seed)
  const { prefix } = server.prefix()
  const { pubsub } = await startInstance({ url: server.redis.url, prefix })
  const scripts = createCoordinationScripts(pubsub.link, { ...SETTINGS, overflow })
  const layout = redisLayout(pubsub.link)
  const [keys, channel] = [layout.room('r'), layout.redisChannel('r')]
  const model = createModel(overflow === 'count')
  const messages: string[] = []
  await pubsub.link.subscribe(layout.channel('r'), (text) => void messages.push(text)).ready
  /** Highest number that a connection of a member was given, to restore with. */
  const numbers = new Map<string, number>()
  let versions = 0
  let lastId = 0

  for (let step = 0; step < 400; step += 1) {
    const name = random.pick(NAMES)
    const [connection, lease] = [random.pick(CONNECTIONS), random.pick(LEASES)]
    const place = `${name} ${connection}`
    const choice = random.below(10)
    if (choice < 6) {
      const restored = random.below(3) === 0 ? numbers.get(place) : undefined
      const kind = model.members.size < SETTINGS.maxMembers ? 'l' : random.pick(['l', 'c'])
      const wanted = { lease, connection, id: `id${(lastId += 1)}`, kind, info: random.pick(INFOS) }
      const old = model.members.get(name)
      const args = [
        channel,
        name,
        lease,
        Date.now() + 400,
        connection,
        restored ?? '',
        wanted.id,
        'ann',
        wanted.info,
        wanted.kind,
        SEQUENCES[connection] ?? '',
      ]
      const [verdict, version, id, number] = textsOf(await scripts.write.run(keys, args))
      const expected = model.write(name, wanted, restored, Number(number))
      expect(verdict, `seed ${seed}, step ${step}`).toBe(expected)
      if (verdict === 'ok') {
        expect(Number(version)).toBeGreaterThanOrEqual(versions)
        versions = Number(version)
        expect(id).toBe(model.members.get(name)?.id)
        if (old !== undefined && old.connection !== connection && restored === undefined) expect(Number(number)).toBeGreaterThan(old.number)
        if (old?.connection === connection) expect(Number(number)).toBe(old.number)
        numbers.set(place, Number(number))
      }
    } else if (choice < 8) {
      const reply = partsOf(await scripts.remove.run(keys, [channel, name, connection]))
      const removed = model.remove((member, own) => own === name && member.connection === connection)
      expect([reply[0], reply[2]], `seed ${seed}, step ${step}`).toEqual([removed, model.members.size])
    } else if (choice < 9) {
      const reply = partsOf(await scripts.sweep.run(keys, [channel, lease, '0']))
      const removed = model.remove((member) => member.lease === lease)
      expect([reply[0], reply[2], reply[3]], `seed ${seed}, step ${step}`).toEqual([removed, model.members.size, '0'])
    } else {
      // Another program, or a message that was published twice, changes nothing.
      expect(partsOf(await scripts.read.run(keys, ['a']))[1]).toBe(model.members.size)
    }
    const stored = Object.entries(await server.client.hgetall(keys[0])).map(([own, text]) => parseMemberRecord(own, text))
    const sorted = (list: readonly { name: string }[]) => list.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const wanted = [...model.members].map(([own, { kind, info, ...member }]) => ({
      ...{ ...member, name: own, user: 'ann', isListed: kind === 'l', infoJson: info },
    }))
    expect(sorted(stored.flatMap((record) => record ?? [])), `seed ${seed}, step ${step}`).toEqual(sorted(wanted))
    const ttl = await server.client.pttl(keys[1])
    expect(ttl > 0).toBe(model.members.size === 0 && ttl !== -2)
  }

  // What was announced makes the same members, without a gap.
  await pubsub.link.command('PING')
  const shown = new Map<string, string>()
  let last: { version: number; count: number } | undefined
  for (const text of messages) {
    const message = parseRoomMessage(text)
    if (message.kind !== 'change') throw new Error('Only changes are announced.')
    if (last !== undefined) expect(message.base).toBe(last.version)
    expect(message.version).toBeGreaterThan(message.base)
    for (const id of message.left) expect(shown.delete(id)).toBe(true)
    for (const { id, infoJson = '' } of message.present) {
      expect(shown.get(id)).not.toBe(infoJson)
      shown.set(id, infoJson)
    }
    last = message
  }
  const listed = [...model.members.values()].filter(({ kind }) => kind === 'l')
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(listed.map(({ id, info }) => [id, info])))
  expect(last?.count).toBe(model.members.size)
})
