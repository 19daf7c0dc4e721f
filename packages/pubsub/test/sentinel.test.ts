import { RealtimePubSub } from '@tutti/pubsub'
import { pubSubContract } from '@tutti/pubsub/testing'
import { sendToRedis, eventually, startSentinel } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { clientList, connect, observer } from './setup.ts'

// One master, its replica and three Sentinels for the file.
let redis: Awaited<ReturnType<typeof startSentinel>>
beforeAll(async () => {
  redis = await startSentinel()
})
afterAll(() => redis.stop())

const place = () => ({ sentinels: redis.sentinels, name: redis.name })

let isAway = false
const restore = async (): Promise<void> => {
  await Promise.all([...redis.nodes, ...redis.watchers].map((process) => process.restart()))
  isAway = false
}

pubSubContract('RealtimePubSub behind Sentinel', async () => ({
  connect: (options) => new RealtimePubSub({ ...options, ...place() }),
  inject: async (channel, text) => void (await observer(await redis.master()).publish(`tutti:${channel}`, text)),
  // The Sentinels are stopped too, otherwise the replica would be promoted.
  interrupt: async () => {
    isAway = true
    const master = await redis.master()
    await Promise.all([master, ...redis.watchers].map((process) => process.kill()))
  },
  restore,
  close: async () => void (isAway && (await restore())),
}))

test('[N1] an instance has two connections, to the master', async () => {
  const { pubsub } = connect(place())
  await Promise.all([pubsub.link.ready, pubsub.subscribe('news', () => {}).ready])
  const names = (await clientList(observer(await redis.master()))).flatMap(({ name }) => (name?.includes(pubsub.instanceId) ? name : []))
  expect(names.sort()).toEqual([`tutti:${pubsub.instanceId}:pub`, `tutti:${pubsub.instanceId}:sub`])
  expect(await pubsub.link.command('ROLE')).toEqual(expect.arrayContaining(['master']))
})

test('[N7] dispose ends even while no Sentinel can be reached', async () => {
  const { pubsub } = connect({ sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'x' })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await pubsub.dispose()
  expect(pubsub.status).toBe('closed')
})

for (const how of ['order', 'crash'] as const) {
  test(`[N6] a failover by ${how} is a gap; then the new master serves everything`, async () => {
    // Sentinels need a long time between two failovers, so this test starts its own.
    const redis = await startSentinel()
    onTestFinished(() => redis.stop())
    const place = { sentinels: redis.sentinels, name: redis.name }
    const [{ pubsub }, { pubsub: other }] = [connect(place), connect(place)]
    const received: string[] = []
    await Promise.all([pubsub.link.ready, other.link.ready, pubsub.subscribe('news', (text) => received.push(text)).ready])
    const script = pubsub.link.script(`return redis.call('INCR', KEYS[1])`)
    let gaps = 0
    pubsub.onGap(() => (gaps += 1))
    await script.run(['before'], [])
    const calls: Promise<PromiseSettledResult<unknown>[]>[] = []
    let isOver = false
    const load = async (): Promise<void> => {
      while (!isOver) {
        calls.push(Promise.allSettled([script.run(['count'], [])]))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const loading = load()
    const after = await redis.failOver(how)
    await eventually(() => expect([gaps > 0, pubsub.status, other.status]).toEqual([true, 'ready', 'ready']), { timeoutMs: 60_000 })
    isOver = true
    await loading
    const outcomes = (await Promise.all(calls)).flat()
    const codes = new Set(outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason.code] : [])))
    for (const code of codes) expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN']).toContain(code)
    expect(await sendToRedis(after, 'GET', 'count')).not.toBeNull()
    const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [Number(outcome.value)] : []))
    // No refused command runs later: from now on each run adds one.
    const [now, next] = [Number(await script.run(['count'], [])), Number(await script.run(['count'], []))]
    expect(next).toBe(now + 1)
    expect(done.length).toBeGreaterThan(0)
    await other.publish('news', {})
    await eventually(() => expect(received).toHaveLength(1))
    // Not `after`: on a busy machine the Sentinels may have started another failover.
    await eventually(async () => {
      const clients = await clientList(observer(await redis.master()))
      expect(clients.filter(({ name }) => name?.includes(pubsub.instanceId))).toHaveLength(2)
    })
  })
}
