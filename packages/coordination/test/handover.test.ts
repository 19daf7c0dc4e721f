import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { createMemoryCoordination } from '../src/index.ts'
import { startInstance, useRedis, type TestInstance } from './cluster.ts'

const server = useRedis()
const start = (prefix: string) => startInstance({ url: server.redis.url, prefix })

/** The names that an instance has taken. */
function takenBy({ coordination }: TestInstance): string[] {
  const taken: string[] = []
  coordination.handover.onTaken((name) => taken.push(name))
  return taken
}

test('[D2] work of a killed instance is taken by one other, without what has ended', async () => {
  const { prefix } = server.prefix()
  const [lost, ...others] = [await start(prefix), await start(prefix), await start(prefix)]
  const taken = others.map(takenBy)
  const { handover } = lost.coordination
  await Promise.all(['a', 'b', 'open', 'a'].map((name) => handover.begin(name)))
  handover.end('b', () => false)
  handover.end('open', () => true)
  await eventually(async () => expect((await server.client.keys(`{${prefix}$instance:*}$holds`)).length).toBe(1))
  await eventually(async () => {
    const [holds = ''] = await server.client.keys(`{${prefix}$instance:*}$holds`)
    expect((await server.client.smembers(holds)).toSorted()).toEqual(['handover a', 'handover open'])
  })
  await lost.kill()
  await eventually(() => expect(taken.flat().toSorted()).toEqual(['a', 'open']))
  // It is listed for those that have taken it, and for them alone.
  await eventually(async () => expect(await server.client.exists(`{${prefix}$instance:${lost.coordination.instance.id}}$holds`)).toBe(0))
  expect([...lost.errors, ...others.flatMap(({ errors }) => errors)]).toEqual([])
})

test('[D2] work is taken again where the one that took it dies too', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const taken = takenBy(second)
  await first.coordination.handover.begin('a')
  await first.kill()
  await eventually(() => expect(taken).toEqual(['a']))
  const third = await start(prefix)
  const takenAgain = takenBy(third)
  await second.kill()
  await eventually(() => expect(takenAgain).toEqual(['a']))
  third.coordination.handover.end('a', () => false)
})

test('[D2] work waits for an instance that can continue it', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  await first.coordination.handover.begin('a')
  await first.coordination.close()
  // The instance without a listener tries to sweep it.
  const holds = `{${prefix}$instance:${first.coordination.instance.id}}$holds`
  await eventually(async () => expect(await server.client.pttl(holds)).toBeGreaterThan(0))
  const taken = takenBy(second)
  await eventually(() => expect(taken).toEqual(['a']))
})

test('[D2] work of the last instance is taken by the next one that starts', async () => {
  const { prefix } = server.prefix()
  const last = await start(prefix)
  await last.coordination.handover.begin('a')
  await last.coordination.close()
  const holds = `{${prefix}$instance:${last.coordination.instance.id}}$holds`
  // Longer than the members of the last instance.
  expect(await server.client.pttl(holds)).toBeGreaterThan(60_000)
  const next = await start(prefix)
  const taken = takenBy(next)
  await eventually(() => expect(taken).toEqual(['a']))
})

test('[D2] in one process there is no other instance to continue work', async () => {
  const { handover, close } = createMemoryCoordination()
  expect(await handover.begin('a')).toBeUndefined()
  handover.end('a', () => false)
  await close()
})
