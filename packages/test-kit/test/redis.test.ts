import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, seededRandom, spawnInstance, startRedis } from '../src/index.ts'
import { INSTANCE_ARGUMENTS } from '../src/instance.ts'

test('a test Redis replies, dies and restarts on its port', async () => {
  const redis = await startRedis()
  const { port } = redis
  await redis.kill()
  await expect(new Promise((resolve, reject) => connect(port, redis.host, () => resolve(true)).once('error', reject))).rejects.toThrow(
    'ECONNREFUSED',
  )
  await redis.restart()
  expect(redis.port).toBe(port)
  await redis.stop()
})

test('an instance is a process that answers calls, reports errors and ends', async () => {
  const instance = await spawnInstance(new URL('./echo-instance.ts', import.meta.url))
  expect(instance.ready).toEqual({ hello: 'there' })
  expect(await instance.call('echo', { a: [1] })).toEqual({ a: [1] })
  await expect(instance.call('fail')).rejects.toThrow('on purpose')
  const lost = instance.call('never')
  await Promise.all([expect(lost).rejects.toThrow('ended'), instance.kill()])
})

test('an instance that ends by itself has crashed, another one has not', async () => {
  const script = new URL('./echo-instance.ts', import.meta.url)
  const [crashing, killed] = await Promise.all([spawnInstance(script), spawnInstance(script)])
  let hasCrashed = false
  void killed.crashed.then(() => (hasCrashed = true))
  await killed.kill()
  process.kill(crashing.pid, 'SIGKILL')
  expect(await crashing.crashed).toBe('SIGKILL')
  expect(hasCrashed).toBe(false)
})

test('an instance ends with the test process also while it starts', async () => {
  const child = fork(fileURLToPath(new URL('./stuck-instance.ts', import.meta.url)), { execArgv: [...INSTANCE_ARGUMENTS] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  await once(child, 'message')
  child.disconnect()
  expect(await exited).toEqual([0, null])
})

test('a seed repeats its choices', () => {
  const draw = (seed: number) =>
    Array.from(
      { length: 50 },
      (
        (random) => () =>
          random.below(1000)
      )(seededRandom(seed)),
    )
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('eventually waits for the assertion and throws its last error', async () => {
  let tries = 0
  expect(await eventually(() => (++tries < 3 ? Promise.reject(new Error('not yet')) : tries))).toBe(3)
  await expect(eventually(() => Promise.reject(new Error('never')), { timeoutMs: 30 })).rejects.toThrow('never')
})
