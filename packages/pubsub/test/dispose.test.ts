import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { clientList, connect, observer, testRedis } from './setup.ts'

function start(port: number, state: string) {
  const options = { execArgv: ['--conditions=@tutti/source', '--disable-warning=ExperimentalWarning'], silent: true }
  const child = fork(fileURLToPath(new URL('dispose-child.ts', import.meta.url)), [String(port), state], options)
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('The child has no output.')
  const exit = once(child, 'exit')
  return { child, outcome: async () => [await text(stdout), await text(stderr), ...(await exit)] }
}

for (const state of ['ready', 'connecting']) {
  test(`[N7] dispose while ${state} leaves no timer or socket and lets the process end`, async () => {
    const redis = await testRedis()
    expect(await start(redis.port, state).outcome()).toEqual(['[]\n', '', 0, null])
  })
}

test('[N7] dispose during an outage leaves no timer or socket; the process can end', async () => {
  const redis = await testRedis()
  await redis.kill()
  expect(await start(redis.port, 'away').outcome()).toEqual(['[]\n', '', 0, null])
})

test('[N7] dispose ends even if Redis hangs', async () => {
  const redis = await testRedis()
  const { child, outcome } = start(redis.port, 'under-way')
  await once(child, 'message')
  redis.pause()
  child.send('go')
  expect(await outcome()).toEqual(['[]\n', '', 0, null])
})

test('[N7] dispose waits for replies in flight and closes both connections', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const calls = Array.from({ length: 50 }, () => pubsub.link.command('INCR', 'count'))
  let answered = 0
  for (const call of calls) void call.then(() => (answered += 1))
  await pubsub.dispose()
  expect(answered).toBe(50)
  await eventually(async () => expect(await clientList(observer(redis))).toEqual([]))
})

test('[N7] after dispose every call of the link is refused with CLOSED', async () => {
  const redis = await testRedis()
  const { pubsub, errors } = connect({ url: redis.url })
  const { link } = pubsub
  await link.ready
  const script = link.script('return 1')
  await Promise.all([pubsub.dispose(), link.dispose()])
  const CLOSED = expect.objectContaining({ code: 'CLOSED' })
  const calls = [() => script.run([], []), () => link.command('PING'), () => link.publish('x', 'y')]
  for (const call of calls) await expect(call()).rejects.toEqual(CLOSED)
  const throwing = [() => link.script('x'), () => link.subscribe('x', () => {}), () => link.onGap(() => {}), () => link.onBreaker(() => {})]
  for (const call of throwing) expect(call).toThrow(CLOSED)
  expect(() => link.onStatus(() => {})).toThrow(CLOSED)
  expect([link.status, errors]).toEqual(['closed', []])
})
