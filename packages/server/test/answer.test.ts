import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { answer } from '../src/connection/run-request.ts'
import type { RequestContext } from '../src/connection/handler.ts'
import { createModelCore } from './model-cluster.ts'

/** What happens, in order, when a handler acts so. */
async function stepsOf(act: (context: RequestContext) => object): Promise<unknown[]> {
  const steps: unknown[] = []
  const { core, connect } = createModelCore()
  await answer(
    {
      name: 'storage:unsubscribe',
      answer: (_message, context) => {
        context.afterReply(() => steps.push('after 1'))
        context.beforeReply(() => steps.push('before 1'))
        context.beforeReply(() => steps.push('before 2'))
        context.afterReply(() => steps.push('after 2'))
        return act(context)
      },
    },
    connect('a'),
    {},
    (reply) => steps.push(reply.ok ? reply : reply.error.code),
    { ...core, onError: (error, context) => steps.push([error, context]) },
  )
  return steps
}

const refuse = (error: Error) => (): never => {
  throw error
}

test('[S2] what must precede the reply runs before it, what must follow after it, in the order asked for', async () => {
  expect(await stepsOf(() => ({ version: 1 }))).toEqual(['before 1', 'before 2', { ok: true, version: 1 }, 'after 1', 'after 2'])
})

test('[S2] so it is around a refusal, which is nobody’s failure', async () => {
  expect(await stepsOf(refuse(new RealtimeError('CONFLICT')))).toEqual(['before 1', 'before 2', 'CONFLICT', 'after 1', 'after 2'])
})

for (const error of [new TypeError('on purpose'), new RealtimeError('INTERNAL')]) {
  test(`[X7] what fails for a reason of the server’s own is INTERNAL and reported, be it a ${error.name}`, async () => {
    const reported = [error, { stage: 'handler', subject: 'storage:unsubscribe' }]
    expect(await stepsOf(refuse(error))).toEqual([reported, 'before 1', 'before 2', 'INTERNAL', 'after 1', 'after 2'])
  })
}
