import { expect, test } from 'vitest'
import { listen, until, type Fixture } from './fixture.ts'

/** Which instances receive a message (N2, N3). */
export function deliveryRules(fixture: Fixture): void {
  test('[N2] each instance has its own UUID', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    expect(a.instanceId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(b.instanceId).not.toBe(a.instanceId)
  })

  test('[N2] a message reaches all other instances, origin first, and never its sender', async () => {
    const [a, b, c] = [await fixture.connect(), await fixture.connect(), await fixture.connect()]
    const texts: string[] = []
    await b.subscribe('news', (text) => texts.push(text)).ready
    const [atA, atC] = [await listen(a, 'news'), await listen(c, 'news')]
    await a.publish('news', { hello: 'world' })
    await b.publish('news', { from: 'b' })
    await Promise.all([atA.reaches(1), atC.reaches(2), until(() => texts.length > 0)])
    expect(texts).toEqual([`{"origin":"${a.instanceId}","hello":"world"}`])
    expect(atA.messages).toEqual([{ origin: b.instanceId, from: 'b' }])
    expect(atC.messages.map((message) => message['origin'])).toEqual([a.instanceId, b.instanceId])
  })

  test('[N2] empty messages, numeric names and an own origin keep the frame intact', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const received = await listen(b, 'news')
    await a.publish('news', {})
    await a.publish('news', { 1: 'one', z: null })
    await a.publish('news', { origin: b.instanceId, x: 1 })
    await a.publish('news', { __proto__: null, x: 2 })
    await received.reaches(4)
    const origin = a.instanceId
    expect(received.messages).toEqual([{ origin }, { origin, 1: 'one', z: null }, { origin, x: 1 }, { origin, x: 2 }])
  })

  test('[N2] a message that is not a plain JSON object is refused with INVALID_MESSAGE', async () => {
    const a = await fixture.connect()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const nonsense = [[], new Date(), new Map(), { toJSON: () => ({ origin: 'forged' }) }, { big: 1n }, circle, () => {}]
    for (const message of nonsense) await expect(a.publish('news', message)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  })

  test('[N2] an instance drops its own message even without the frame', async () => {
    const a = await fixture.connect()
    const received = await listen(a, 'news')
    await fixture.harness.inject('news', `{ "x": 1, "origin": "${a.instanceId}" }`)
    await fixture.harness.inject('news', '{ "x": 2 }')
    await received.reaches(1)
    expect(received.messages).toEqual([{ x: 2 }])
    expect(a.droppedMessages).toBe(0)
  })

  test('[N3] handlers share a channel; unsubscribing one, even twice, keeps the others', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const [first, second] = [await listen(b, 'news'), await listen(b, 'news')]
    await a.publish('news', { n: 1 })
    await Promise.all([first.reaches(1), second.reaches(1)])
    first.unsubscribe()
    first.unsubscribe()
    await a.publish('news', { n: 2 })
    await second.reaches(2)
    second.unsubscribe()
    const third = await listen(b, 'news')
    await a.publish('news', { n: 3 })
    await third.reaches(1)
    expect([first, second, third].map((received) => received.messages.map((message) => message['n']))).toEqual([[1], [1, 2], [3]])
  })

  test('[N3] a function subscribed twice is called twice, until each is unsubscribed', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    let calls = 0
    const count = (): void => void (calls += 1)
    const [undo, second] = [b.subscribe('news', count), b.subscribe('news', count)]
    const fence = await listen(b, 'news')
    await Promise.all([undo.ready, second.ready])
    await a.publish('news', {})
    await fence.reaches(1)
    undo()
    await a.publish('news', {})
    await fence.reaches(2)
    expect(calls).toBe(3)
  })

  test('[N3] calling an unsubscribe function again does not affect later subscriptions', async () => {
    const a = await fixture.connect()
    const first = await listen(a, 'news')
    first.unsubscribe()
    const second = await listen(a, 'news')
    first.unsubscribe()
    const third = await listen(a, 'news')
    await fixture.harness.inject('news', 'nonsense')
    await fixture.harness.inject('news', '{}')
    await Promise.all([second.reaches(1), third.reaches(1)])
    expect([first, second, third].map(({ messages }) => messages.length)).toEqual([0, 1, 1])
    // They still share the channel: a message that no handler can parse is dropped once.
    expect(a.droppedMessages).toBe(1)
  })

  test('[N3] channels whose names share a beginning are separate', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const [short, long] = [await listen(b, 'news'), await listen(b, 'news:today')]
    await a.publish('news:today', { n: 1 })
    await a.publish('news', { n: 2 })
    await Promise.all([short.reaches(1), long.reaches(1)])
    expect([short, long].map((received) => received.messages[0]?.['n'])).toEqual([2, 1])
  })

  test('[N3] text with half a surrogate pair is kept in messages and refused in channels', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const received = await listen(b, 'news')
    await a.publish('news', { 'a\ud800': ['\udc00'] })
    await received.reaches(1)
    expect(received.messages).toMatchObject([{ 'a\ud800': ['\udc00'] }])
    await expect(a.publish('a\ud800', {})).rejects.toMatchObject({ code: 'INVALID_CHANNEL' })
    expect(() => a.subscribe('a\ud800', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_CHANNEL' }))
  })

  test('[N3] messages of one sender arrive in the order published', async () => {
    const [a, b] = [await fixture.connect(), await fixture.connect()]
    const received = await listen(b, 'news')
    const numbers = Array.from({ length: 300 }, (_, n) => n)
    await Promise.all(numbers.map((n) => a.publish('news', { n })))
    await received.reaches(numbers.length)
    expect(received.messages.map((message) => message['n'])).toEqual(numbers)
  })

  test('[N3] a reply arrives after the message that it replies to', async () => {
    const [a, b, c] = [await fixture.connect(), await fixture.connect(), await fixture.connect()]
    await b.subscribe('news', () => void b.publish('news', { is: 'answer' })).ready
    const received = await listen(c, 'news')
    await a.publish('news', { is: 'question' })
    await received.reaches(2)
    expect(received.messages.map((message) => message['is'])).toEqual(['question', 'answer'])
  })
}
