import { RealtimeError } from '@tutti/protocol'
import { expect, test, vi } from 'vitest'
import { collectErrors, listen, ready, until, type Fixture } from './fixture.ts'

/** Failing handlers, an unavailable relay, and disposal (N4 to N7). */
export function failureRules(fixture: Fixture): void {
  test('[N4] an error of a handler goes to onError and does not stop the others', async () => {
    const { errors, onError } = collectErrors()
    const [a, b] = [await fixture.connect(), await fixture.connect({ onError })]
    const [atOnce, later] = [new Error('at once'), new Error('later')]
    await b.subscribe('news', () => {
      throw atOnce
    }).ready
    const rejecting: () => unknown = () => Promise.reject(later)
    await b.subscribe('news', rejecting).ready
    const received = await listen(b, 'news')
    await a.publish('news', {})
    await received.reaches(1)
    await until(() => errors.length === 2)
    expect(errors).toEqual([atOnce, later].map((error) => ({ error, stage: 'handler', channel: 'news' })))
    expect(b.droppedMessages).toBe(0)
  })

  test('[N4] an onError that throws is contained', async () => {
    const [a, b] = [
      await fixture.connect(),
      await fixture.connect({
        onError: () => {
          throw new Error('from onError')
        },
      }),
    ]
    await b.subscribe('news', () => {
      throw new Error('from the handler')
    }).ready
    const received = await listen(b, 'news')
    await a.publish('news', {})
    await received.reaches(1)
    expect(received.messages).toHaveLength(1)
  })

  test('[N4] text that is not a JSON object is dropped, counted and reported once', async () => {
    const { errors, onError } = collectErrors()
    const b = await fixture.connect({ onError })
    const [first, second] = [await listen(b, 'news'), await listen(b, 'news')]
    const nonsense = ['', 'hello', '{"origin":', '[]', '"text"', '7', 'null']
    for (const text of nonsense) await fixture.harness.inject('news', text)
    await fixture.harness.inject('news', '{"ok":true}')
    await Promise.all([first.reaches(1), second.reaches(1)])
    expect([...first.messages, ...second.messages]).toEqual([{ ok: true }, { ok: true }])
    expect(b.droppedMessages).toBe(nonsense.length)
    expect(errors).toMatchObject(nonsense.map(() => ({ error: { code: 'INVALID_MESSAGE' }, stage: 'message', channel: 'news' })))
  })

  test('[N4] a message with a frame that its handlers cannot parse is counted once', async () => {
    const { errors, onError } = collectErrors()
    const b = await fixture.connect({ onError })
    const [first, second] = [await listen(b, 'news'), await listen(b, 'news')]
    await fixture.harness.inject('news', '{"origin":"00000000-0000-4000-8000-000000000000","cut')
    await fixture.harness.inject('news', '{"ok":true}')
    await Promise.all([first.reaches(1), second.reaches(1)])
    expect(b.droppedMessages).toBe(1)
    expect(errors.map(({ stage }) => stage)).toEqual(['message', 'message'])
  })

  test('[N4] INVALID_MESSAGE from a handler drops the message; other errors do not', async () => {
    const { errors, onError } = collectErrors()
    const b = await fixture.connect({ onError })
    const codes = ['INVALID_MESSAGE', 'INVALID_KEY'] as const
    let calls = 0
    await b.subscribe('news', () => {
      throw new Error('in any case')
    }).ready
    await b.subscribe('news', () => {
      throw new RealtimeError(codes[calls++] ?? 'INTERNAL')
    }).ready
    const received = await listen(b, 'news')
    await fixture.harness.inject('news', '{"n":1}')
    await fixture.harness.inject('news', '{"n":2}')
    await received.reaches(2)
    expect(errors.map(({ stage }) => stage)).toEqual(['handler', 'message', 'handler', 'handler'])
    expect(b.droppedMessages).toBe(1)
  })

  test('[N5] without the relay, publish is UNAVAILABLE and the outage reported once', async () => {
    const { errors, onError } = collectErrors()
    const a = await fixture.connect({ onError })
    await fixture.harness.interrupt()
    await until(() => a.status === 'unavailable')
    // At first the instance may know only that its subscribing connection is lost.
    await vi.waitFor(() => expect(a.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' }), { timeout: 20_000 })
    await expect(a.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await fixture.harness.restore()
    await ready(a)
    await a.publish('news', {})
    expect(errors).toMatchObject([{ error: { code: 'UNAVAILABLE' }, stage: 'connection' }])
  })

  test('[N6] after each outage gap listeners run once, with subscriptions confirmed', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const received = await listen(b, 'news')
    const statuses: string[] = []
    b.onStatus((status) => statuses.push(status))
    let [gaps, undone] = [0, 0]
    b.onGap(() => (gaps += 1))
    const undo = b.onGap(() => (undone += 1))
    for (const absence of [1, 2]) {
      await fixture.harness.interrupt()
      await until(() => a.status === 'unavailable' && b.status === 'unavailable')
      await fixture.harness.restore()
      await Promise.all([until(() => gaps === absence), ready(a)])
      expect(b.status).toBe('ready')
      await a.publish('news', { absence })
      await received.reaches(absence)
      undo()
    }
    expect([gaps, undone, received.messages.length]).toEqual([2, 1, 2])
    expect(statuses).toEqual(['unavailable', 'ready', 'unavailable', 'ready'])
  })

  test('[N6] a gap or status listener that throws does not stop the others', async () => {
    const { errors, onError } = collectErrors()
    const a = await fixture.connect({ onError })
    let gaps = 0
    const fail = (): void => {
      throw new Error('from a listener')
    }
    a.onStatus(fail)
    a.onGap(fail)
    a.onGap(() => (gaps += 1))
    await fixture.harness.interrupt()
    await until(() => a.status === 'unavailable')
    await fixture.harness.restore()
    await until(() => gaps === 1)
    expect(errors.filter(({ stage }) => stage === 'handler')).toHaveLength(3)
  })

  test('[N7] dispose is idempotent, reports closed and refuses later calls with CLOSED', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const received = await listen(a, 'news')
    const statuses: string[] = []
    a.onStatus((status) => statuses.push(status))
    await Promise.all([a.dispose(), a.dispose()])
    await a.dispose()
    expect(statuses).toEqual(['closed'])
    expect(a.status).toBe('closed')
    await expect(a.publish('news', {})).rejects.toMatchObject({ code: 'CLOSED' })
    for (const call of [() => a.subscribe('news', () => {}), () => a.onGap(() => {}), () => a.onStatus(() => {})]) {
      expect(call).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    }
    const fence = await listen(await fixture.connect(), 'news')
    await b.publish('news', {})
    await fence.reaches(1)
    expect(received.messages).toEqual([])
    received.unsubscribe()
    await fixture.harness.interrupt()
    await until(() => b.status === 'unavailable')
    expect([a.status, statuses]).toEqual(['closed', ['closed']])
  })
}
