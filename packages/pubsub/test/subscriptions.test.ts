import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { commandCalls, connect, observer, testRedis } from './setup.ts'

test('[N3] handlers of a Redis channel share one SUBSCRIBE; the last UNSUBSCRIBEs', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const undo = [pubsub.subscribe('news', () => {}), pubsub.subscribe('news', () => {}), pubsub.link.subscribe('news', () => {})]
  await Promise.all(undo.map(({ ready }) => ready))
  const observing = observer(redis)
  expect(await observing.pubsub('NUMSUB', 'tutti:news')).toEqual(['tutti:news', 1])
  undo[0]?.()
  undo[2]?.()
  undo[2]?.()
  const fence = pubsub.subscribe('fence', () => {})
  await fence.ready
  expect((await commandCalls(observing))['unsubscribe']).toBeUndefined()
  undo[1]?.()
  await eventually(async () => expect(await observing.pubsub('NUMSUB', 'tutti:news')).toEqual(['tutti:news', 0]))
  const calls = await commandCalls(observing)
  expect([calls['subscribe'], calls['unsubscribe']]).toEqual([2, 1])
})

test('[N3] unsubscribing and subscribing again at once ends subscribed', async () => {
  const redis = await testRedis()
  const [{ pubsub: a }, { pubsub: b }] = [connect({ url: redis.url }), connect({ url: redis.url })]
  await Promise.all([a.link.ready, b.link.ready])
  const received: string[] = []
  for (let round = 0; round < 20; round += 1) b.subscribe('news', () => received.push('old'))()
  await b.subscribe('news', () => received.push('new')).ready
  await a.publish('news', {})
  await eventually(() => expect(received).toEqual(['new']))
  expect(await observer(redis).pubsub('NUMSUB', 'tutti:news')).toEqual(['tutti:news', 1])
})

test('[N3] calling an unsubscribe function twice does not end a later subscription', async () => {
  const redis = await testRedis()
  const [{ pubsub: a }, { pubsub: b }] = [connect({ url: redis.url }), connect({ url: redis.url })]
  await Promise.all([a.link.ready, b.link.ready])
  const received: string[] = []
  for (const layer of [b, b.link]) {
    const undo = layer.subscribe('news', () => {})
    undo()
    const later = layer.subscribe('news', (text) => received.push(text))
    undo()
    await later.ready
  }
  await a.publish('news', {})
  await eventually(() => expect(received).toHaveLength(2))
})

test('[N3] a refused subscription goes to onError and rejects only its `ready`', async () => {
  const redis = await testRedis()
  await observer(redis).acl('SETUSER', 'ann', 'on', '>pw', '~*', 'resetchannels', '&tutti:allowed', '+@all')
  const { pubsub, errors } = connect({ host: redis.host, port: redis.port, username: 'ann', password: 'pw' })
  const refused = pubsub.subscribe('secret', () => {})
  const allowed = pubsub.subscribe('allowed', () => {})
  await Promise.all([pubsub.link.ready, allowed.ready])
  await expect(refused.ready).rejects.toThrow(/NOPERM/)
  expect(errors).toMatchObject([{ stage: 'subscribe', error: { message: expect.stringContaining('NOPERM') } }])
  let gaps = 0
  pubsub.onGap(() => (gaps += 1))
  await observer(redis).client('KILL', 'TYPE', 'pubsub')
  await eventually(() => expect(gaps).toBe(1))
})

test('[N3] `ready` of a subscription that ends unconfirmed rejects with CLOSED', async () => {
  const redis = await testRedis()
  await redis.kill()
  const { pubsub } = connect({ url: redis.url })
  const [undone, disposed] = [pubsub.subscribe('a', () => {}), pubsub.subscribe('b', () => {})]
  undone()
  await expect(undone.ready).rejects.toMatchObject({ code: 'CLOSED' })
  await pubsub.dispose()
  await expect(disposed.ready).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(pubsub.link.ready).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[N2] the link receives its own messages too, in the order of their execution', async () => {
  const redis = await testRedis()
  const [{ pubsub: a }, { pubsub: b }] = [connect({ url: redis.url }), connect({ url: redis.url })]
  const received: string[][] = [[], []]
  await Promise.all([a, b].map(({ link }, index) => link.subscribe('log', (text) => received[index]?.push(text)).ready))
  await Promise.all([a.link.ready, b.link.ready])
  await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? a : b).link.publish('log', `${n}`)))
  await eventually(() => expect(received.map((texts) => texts.length)).toEqual([100, 100]))
  expect(received[0]).toEqual(received[1])
})

test('[N4] a handler of the link that throws goes to onError and does not stop others', async () => {
  const redis = await testRedis()
  const { pubsub, errors } = connect({ url: redis.url })
  const received: string[] = []
  const failing = pubsub.link.subscribe('log', () => {
    throw new Error('no')
  })
  const other = pubsub.link.subscribe('log', (text) => received.push(text))
  await Promise.all([pubsub.link.ready, failing.ready, other.ready])
  await pubsub.link.publish('log', 'x')
  await eventually(() => expect(received).toEqual(['x']))
  expect(errors).toMatchObject([{ stage: 'handler', error: { message: 'no' } }])
})
