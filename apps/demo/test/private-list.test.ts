import { eventually } from '@tutti/test-kit'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectByHand, type HandMadeClient } from './hand-made-client.ts'
import { countOn, isConnected } from './open-page.ts'
import { startTwoInstances, type TwoInstances } from './two-instances.ts'
import { anotherWindow, cookiesOf, inAnHour, note, notesOn, tokenFor, visitAs } from './visit.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwoInstances()
}, 120_000)
afterAll(() => two.stop())

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

test('[X2] a user’s list is live in all windows of that user, and only there', async () => {
  const [anna, ben] = await Promise.all([visitAs(two, 'Anna', 0), visitAs(two, 'Ben', 1)])
  const annaElsewhere = await anotherWindow(two, anna, 1)
  await note(anna, 'A present for Ben')
  await note(ben, 'A present for Anna')
  await eventually(async () => {
    expect(await Promise.all([anna, annaElsewhere, ben].map(notesOn))).toEqual([
      ['A present for Ben'],
      ['A present for Ben'],
      ['A present for Anna'],
    ])
  })
  await annaElsewhere.getByRole('checkbox', { name: 'A present for Ben' }).check()
  await eventually(async () => expect(await anna.getByRole('checkbox', { name: 'A present for Ben' }).isChecked()).toBe(true))
  await anna.getByRole('button', { name: 'Remove A present for Ben' }).click()
  await eventually(async () => expect(await Promise.all([anna, annaElsewhere].map(notesOn))).toEqual([[], []]))
  expect(await notesOn(ben)).toEqual(['A present for Anna'])
})

describe('[X2] a client made by hand', () => {
  const KEY = 'user:alice:notes:1'
  const stolen = { text: 'stolen', done: true }
  /** Requests, with their possible results. */
  const ATTEMPTS: readonly (readonly [name: string, payload: object])[] = [
    ['storage:get', { key: KEY }],
    ['storage:subscribe', { keys: [{ key: KEY }] }],
    ['storage:subscribe', { keys: [{ key: 'demo:count' }, { key: KEY }] }],
    ['storage:subscribe', { prefix: 'user:alice:' }],
    ['storage:subscribe', { prefix: 'user:alice:notes:' }],
    ['storage:set', { key: KEY, value: stolen }],
    ['storage:set', { key: KEY, value: stolen, ifVersion: 0 }],
    ['storage:set', { key: 'user:alice:notes', value: stolen }],
    ['storage:remove', { key: KEY }],
    ['storage:increment', { key: KEY, by: 1 }],
    ['storage:patch', { key: KEY, patch: stolen }],
    ['storage:get', { key: 'user:Alice:notes:1' }],
    ['storage:get', { key: 'user:guest:notes:1' }],
    ['event:subscribe', { channel: 'user:alice:session' }],
    ['event:subscribe', { channel: 'user:alice:*' }],
    ['event:publish', { channel: 'user:alice:session', data: { ended: 'all' } }],
    ['event:publish', { channel: 'user:alice:anything', data: 'hello' }],
  ]
  const thieves = {
    'with the cookie of somebody else': async () => cookiesOf(await visitAs(two, 'Bob', 1)),
    'without a cookie': () => '',
    'with a token that is signed with another secret': async () => `tutti-session=${await tokenFor('alice', inAnHour(), 'x'.repeat(32))}`,
    'with a token that is not signed': () =>
      `tutti-session=${base64({ alg: 'none' })}.${base64({ sub: 'alice', name: 'Alice', jti: '1', exp: inAnHour() })}.`,
    'with a token that has expired': async () => `tutti-session=${await tokenFor('alice', Date.now() - 1_000, two.secret)}`,
    'with the token of a name that no form would take': async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const { status } = await fetch(`${two.addresses[1]}/sign-in`, {
        method: 'POST',
        headers,
        body: 'name=alice:notes',
        redirect: 'manual',
      })
      expect(status).toBe(400)
      return `tutti-session=${await tokenFor('alice:notes', inAnHour(), two.secret)}`
    },
  }

  test.each(Object.entries(thieves))('%s cannot read or change Alice’s list, and receives nothing of it', async (_, cookie) => {
    const alice = await visitAs(two, 'Alice', 0)
    const herself = await connectByHand(two.addresses[0], await cookiesOf(alice))
    expect(await herself.request('storage:set', { key: KEY, value: { text: 'Secret', done: false } })).toBe('ok')
    await eventually(async () => expect(await notesOn(alice)).toContain('Secret'))
    const before = await notesOn(alice)

    const thief = await connectByHand(two.addresses[1], await cookie())
    const answers: string[] = []
    for (const [name, payload] of ATTEMPTS) answers.push(`${name} ${JSON.stringify(payload)}: ${await thief.request(name, payload)}`)
    expect(answers).toEqual(ATTEMPTS.map(([name, payload]) => `${name} ${JSON.stringify(payload)}: FORBIDDEN`))
    // Some names are allowed for this user, so the requests succeed, but return nothing of Alice's.
    await thief.request('storage:subscribe', { prefix: 'user:' })
    for (const channel of ['*', 'user:*']) await thief.request('event:subscribe', { channel })

    expect(await thief.request('storage:subscribe', { keys: [{ key: 'demo:count' }] })).toBe('ok')
    expect(await notesOn(alice)).toEqual(before)
    await note(alice, 'More secrets')
    await alice.getByRole('checkbox', { name: 'Secret', exact: true }).check()
    await alice.getByRole('button', { name: 'Remove More secrets' }).click()
    await eventually(async () => expect(await notesOn(alice)).toEqual(before))
    await alice.getByRole('button', { name: 'Remove Secret' }).click()
    await eventually(async () => expect(await notesOn(alice)).toEqual([]))
    // Other windows of Alice would receive this.
    await alice.getByRole('button', { name: 'Sign out' }).click()
    await alice.getByLabel('Sign in as').waitFor()
    await isConnected(alice)
    await expectAllArrived(alice, thief)
    expect(thief.received.filter((message) => /alice|secret/i.test(message))).toEqual([])
  })

  test('with Alice’s cookie can: the rules refuse only other users', async () => {
    const alice = await visitAs(two, 'Alice', 0)
    const own = await connectByHand(two.addresses[1], await cookiesOf(alice))
    expect(await own.request('storage:subscribe', { prefix: 'user:alice:' })).toBe('ok')
    expect(await own.request('storage:set', { key: KEY, value: { text: 'By hand', done: false } })).toBe('ok')
    await eventually(async () => expect(await notesOn(alice)).toContain('By hand'))
    expect(await own.request('storage:set', { key: KEY, value: 'no list' })).toBe('INVALID_VALUE')
    await alice.getByRole('button', { name: 'Remove By hand' }).click()
    await eventually(() => expect(own.received.join('')).toContain(`"key":"${KEY}"`))
  })

  test('cannot access ended sessions, nor keys without a rule', async () => {
    const bob = await visitAs(two, 'Bob', 1)
    const thief = await connectByHand(two.addresses[1], await cookiesOf(bob))
    for (const key of ['ended-sessions:1', 'ended-sessions', 'user:bob', 'demo:other', 'anything']) {
      expect([key, await thief.request('storage:get', { key }), await thief.request('storage:remove', { key })]).toEqual([
        key,
        'FORBIDDEN',
        'FORBIDDEN',
      ])
    }
    expect(await thief.request('event:publish', { channel: 'user:bob:session', data: { ended: 'all' } })).toBe('FORBIDDEN')
  })

  /** All earlier actions of Alice have been delivered: this one is sent after them over the same connections. */
  async function expectAllArrived(alice: Page, to: HandMadeClient): Promise<void> {
    await alice.getByRole('button', { name: 'Add one' }).click()
    const count = await countOn(alice)
    await eventually(() => expect(to.received.at(-1)).toMatch(new RegExp(`"storage:updated".*"demo:count".*"value":${count}`)))
  }
})
