import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { PlacedReply } from '../src/connection/handler.ts'
import { runRequest } from '../src/connection/run-request.ts'
import { createModelCore } from './model-cluster.ts'
import { settled } from './state-model.ts'

/** What happens, in order, when a handler returns so. */
async function stepsOf(result: () => object | Promise<object>): Promise<unknown[]> {
  const steps: unknown[] = []
  const { core, connect } = createModelCore()
  runRequest(
    {
      name: 'storage:unsubscribe',
      answer: () => new PlacedReply(result(), { before: () => steps.push('before'), after: () => steps.push('after') }),
    },
    connect('a'),
    {},
    (reply) => steps.push(reply.ok ? reply : reply.error.code),
    { ...core, onError: (error, context) => steps.push([error, context]) },
  )
  await settled()
  return steps
}

const refuse = (error: Error) => (): Promise<never> => Promise.reject(error)

test('[S2] what belongs before and after a reply runs directly around it', async () => {
  const steps = ['before', { ok: true, version: 1 }, 'after']
  expect(await stepsOf(() => ({ version: 1 }))).toEqual(steps)
  expect(await stepsOf(async () => ({ version: 1 }))).toEqual(steps)
})

test('[S2] what belongs around a reply runs around a refusal, which is not reported', async () => {
  expect(await stepsOf(refuse(new RealtimeError('CONFLICT')))).toEqual(['before', 'CONFLICT', 'after'])
})

test('[X4] a handler that throws at once is replied to, and its request counts no more', async () => {
  const { core, connect } = createModelCore()
  const replies: unknown[] = []
  let inFlight = 0
  const begin = () => {
    inFlight += 1
    return () => void (inFlight -= 1)
  }
  const answer = (): never => {
    throw new RealtimeError('INVALID_MESSAGE')
  }
  runRequest({ name: 'storage:get', answer }, connect('a'), {}, (reply) => replies.push(reply), { ...core, requests: { begin } })
  expect(replies).toMatchObject([{ ok: false, error: { code: 'INVALID_MESSAGE' } }])
  expect(inFlight).toBe(0)
})

for (const error of [new TypeError('on purpose'), new RealtimeError('INTERNAL')]) {
  test(`[X7] a failure of the server is INTERNAL and reported: ${error.name}`, async () => {
    const reported = [error, { stage: 'handler', subject: 'storage:unsubscribe' }]
    expect(await stepsOf(refuse(error))).toEqual([reported, 'before', 'INTERNAL', 'after'])
  })
}

test('[X4] what belongs before a reply and throws ends no process', async () => {
  const { core, connect } = createModelCore()
  for (const result of [() => ({ version: 1 }), async () => ({ version: 1 }), refuse(new RealtimeError('CONFLICT'))]) {
    const steps: unknown[] = []
    const before = (): void => {
      throw new Error('from before')
    }
    runRequest(
      { name: 'storage:unsubscribe', answer: () => new PlacedReply<object>(result(), { before, after: () => steps.push('after') }) },
      connect('a'),
      {},
      (reply) => steps.push(reply.ok ? reply : reply.error.code),
      { ...core, onError: (error) => steps.push(String(error)) },
    )
    await settled()
    const isRefused = steps.includes('CONFLICT')
    expect(steps).toEqual(['Error: from before', isRefused ? 'CONFLICT' : 'INTERNAL', 'after'])
  }
})
