import { createDeferred } from '@tutti/protocol/internal'
import { expect, test } from 'vitest'
import { connectedClient } from '../setup-client.ts'

async function createModel() {
  const connected = await connectedClient()
  const { client, server } = connected
  const delivered: unknown[] = []
  client.events.subscribe('*', (data, { channel }) => delivered.push([channel, data]))
  await server.flush()
  const arrive = async (channel: string, data: number): Promise<void> => {
    server.link.notify({ name: 'event:received', payload: { channel, data } })
    await server.flush()
  }
  return { ...connected, delivered, arrive }
}

test('[E8] middleware changes and drops events before they are delivered', async () => {
  const { client, delivered, arrive } = await createModel()
  const stop = client.events.use(({ data }, next) => (data === 1 ? undefined : next(Number(data) * 10)))
  client.events.use((_event, next) => next())
  for (const data of [1, 2]) await arrive('a', data)
  expect(delivered).toEqual([['a', 20]])
  stop()
  await arrive('a', 1)
  expect(delivered).toEqual([
    ['a', 20],
    ['a', 1],
  ])
})

test('[E8] a delayed event delays later ones of its channel alone', async () => {
  const { client, delivered, arrive } = await createModel()
  const gate = createDeferred<void>()
  client.events.use(async ({ data }, next) => {
    if (data === 1) await gate.promise
    next()
  })
  for (const [channel, data] of [
    ['a', 1],
    ['a', 2],
    ['b', 3],
  ] as const)
    await arrive(channel, data)
  expect(delivered).toEqual([['b', 3]])
  gate.resolve()
  await arrive('b', 4)
  expect(delivered).toEqual([
    ['b', 3],
    ['a', 1],
    ['a', 2],
    ['b', 4],
  ])
})

test('[E8] middleware that fails, or settles without next, drops its event only', async () => {
  const { client, delivered, arrive, errors } = await createModel()
  client.events.use(({ data }, next) => {
    if (data === 1) throw new Error('planned')
    if (data === 2) queueMicrotask(() => queueMicrotask(() => next('late')))
    else {
      next()
      next('twice')
    }
  })
  for (const data of [1, 2, 3]) await arrive('a', data)
  expect(delivered).toEqual([['a', 3]])
  expect(errors).toMatchObject([{ message: 'planned' }])
})
