import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { createCircuitBreaker } from '../src/redis/circuit-breaker.ts'
import { connect, observer, testRedis } from './setup.ts'

function breaker() {
  const states: string[] = []
  const timers: { ms: number; run: () => void; stopped: boolean }[] = []
  const tested = createCircuitBreaker({
    failures: 3,
    probeEveryMs: 30_000,
    onState: (state) => states.push(state),
    after: (ms, run) => {
      const timer = { ms, run, stopped: false }
      timers.push(timer)
      return () => (timer.stopped = true)
    },
  })
  const fail = (times: number): void => Array.from({ length: times }).forEach(() => tested.failed())
  return { tested, states, timers, fail }
}

test('[N10] it opens after consecutive failures; a success resets the count', () => {
  const { tested, states, fail } = breaker()
  fail(2)
  tested.succeeded()
  fail(2)
  expect([tested.state, tested.tryPass()]).toEqual(['closed', true])
  fail(1)
  expect([tested.state, tested.tryPass()]).toEqual(['open', false])
  expect(states).toEqual(['open'])
})

test('[N10] after its interval one call may probe, and its success closes the breaker', () => {
  const { tested, states, timers, fail } = breaker()
  fail(3)
  expect(timers).toMatchObject([{ ms: 30_000, stopped: false }])
  timers[0]?.run()
  expect([tested.state, tested.tryPass(), tested.tryPass()]).toEqual(['probing', true, false])
  tested.succeeded()
  expect([tested.tryPass(), tested.tryPass()]).toEqual([true, true])
  expect(states).toEqual(['open', 'probing', 'closed'])
  fail(2)
  expect(tested.state).toBe('closed')
})

test('[N10] a failed probe opens the breaker again, for the same interval', () => {
  const { tested, states, timers, fail } = breaker()
  fail(3)
  timers[0]?.run()
  tested.tryPass()
  fail(1)
  expect(tested.tryPass()).toBe(false)
  expect(timers).toHaveLength(2)
  timers[1]?.run()
  expect(tested.tryPass()).toBe(true)
  expect(states).toEqual(['open', 'probing', 'open', 'probing'])
})

test('[N10] it probes at once when the connection is ready again, only if open', () => {
  const { tested, states, timers, fail } = breaker()
  tested.probeNow()
  expect(tested.state).toBe('closed')
  fail(3)
  tested.probeNow()
  expect([tested.state, timers[0]?.stopped]).toEqual(['probing', true])
  tested.succeeded()
  expect(states).toEqual(['open', 'probing', 'closed'])
})

test('[N10] a call that began before it opened changes nothing while it is open', () => {
  const { tested, timers, fail } = breaker()
  fail(3)
  tested.succeeded()
  fail(5)
  expect([tested.state, timers.length]).toEqual(['open', 1])
})

test('[N7] close leaves no timer, also when calls fail afterwards', () => {
  const { tested, timers, fail } = breaker()
  fail(3)
  tested.close()
  expect(timers[0]?.stopped).toBe(true)
  const other = breaker()
  other.tested.close()
  other.fail(3)
  expect(other.timers).toEqual([])
})

test('[N10] a Redis out of memory opens the breaker; errors of scripts never do', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url, breakerProbeMs: 100 })
  await pubsub.link.ready
  const states: string[] = []
  const undo = pubsub.link.onBreaker((state) => states.push(state))
  const refuse = pubsub.link.script(`return redis.error_reply('CONFLICT 7')`)
  const refusals = await Promise.allSettled(Array.from({ length: 20 }, () => refuse.run([], [])))
  expect(refusals.every(({ status }) => status === 'rejected')).toBe(true)
  expect(pubsub.link.breaker).toBe('closed')
  const observing = observer(redis)
  await observing.config('SET', 'maxmemory', '1')
  for (let n = 0; n < 5; n += 1) await expect(pubsub.link.command('SET', 'x', n)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(pubsub.link.breaker).toBe('open')
  await expect(pubsub.link.command('GET', 'x')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('after 5 consecutive Redis failures'),
  })
  await observing.config('SET', 'maxmemory', '0')
  await eventually(() => pubsub.link.command('SET', 'x', 'y'))
  expect(states).toEqual(['open', 'probing', 'closed'])
  undo()
})

test('[N10] it opens during an outage and closes on reconnect, before the next probe', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url, breakerFailures: 2 })
  await pubsub.link.ready
  const back = new Promise<string>((resolve) => void pubsub.onGap(() => resolve(pubsub.link.breaker)))
  await redis.kill()
  for (let n = 0; n < 2; n += 1) await expect(pubsub.publish('news', {})).rejects.toMatchObject({ retryable: expect.any(Boolean) })
  expect(pubsub.link.breaker).toBe('open')
  await redis.restart()
  expect(await back).toBe('closed')
  await pubsub.publish('news', {})
})

test('[F4] [N10] a connected Redis that refuses to serve is unavailable', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url, breakerFailures: 2, breakerProbeMs: 50 })
  await pubsub.link.ready
  const statuses: string[] = []
  const undo = pubsub.onStatus((status) => statuses.push(status))
  const observing = observer(redis)
  await observing.config('SET', 'maxmemory', '1')
  for (let n = 0; n < 2; n += 1) await expect(pubsub.link.command('SET', 'x', n)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect([pubsub.status, pubsub.link.status]).toEqual(['unavailable', 'ready'])
  await observing.config('SET', 'maxmemory', '0')
  await eventually(() => pubsub.link.command('SET', 'x', 'y'))
  expect([pubsub.status, statuses]).toEqual(['ready', ['unavailable', 'ready']])
  undo()
})
