import { eventually } from '@tutti/test-kit'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectByHand } from './hand-made-client.ts'
import { isConnected, say } from './open-page.ts'
import { startTwoInstances, type TwoInstances } from './two-instances.ts'
import { visit, visitAs } from './visit.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwoInstances()
}, 120_000)
afterAll(() => two.stop())

const logOn = (page: Page) => page.getByRole('log')

/** The messages as shown, without the note for screen readers. */
const textsOn = async (page: Page): Promise<string[]> =>
  (await logOn(page).locator('.text').allTextContents()).map((text) => text.replace(' (not sent yet)', ''))

const message = (text: string) => ({ from: 'guest:oboe', name: 'Oboe', text, at: Date.now() })

test('[E11] a page sends messages written offline in order, and shows missed ones', async () => {
  const [away, here] = await Promise.all([visitAs(two, 'Anna', 0), visitAs(two, 'Ben', 1)])
  await say(away, 'Back in a moment')
  await logOn(here).getByText('Back in a moment').waitFor()
  await away.getByRole('switch').click()
  await away.getByText('Offline', { exact: true }).first().waitFor()

  for (const text of ['First offline', 'Second offline']) await say(away, text)
  for (const text of ['Where is Anna?', 'Bar 42 again', 'From the top']) await say(here, text)
  await away.getByText('2 messages will be sent when you are back online.').waitFor()
  expect(await textsOn(away)).toEqual(['Back in a moment', 'First offline', 'Second offline'])
  expect(await logOn(away).locator('.pending').count()).toBe(2)
  await eventually(async () => expect(await textsOn(here)).toHaveLength(4))
  // Notes for screen readers are within the log, and do not make the page longer.
  expect(await away.evaluate(() => document.documentElement.scrollHeight - document.body.offsetHeight)).toBe(0)

  await away.getByRole('switch').click()
  await isConnected(away)
  await logOn(away).getByText('3 messages while you were away').waitFor()
  const all = ['Back in a moment', 'Where is Anna?', 'Bar 42 again', 'From the top', 'First offline', 'Second offline']
  await eventually(async () => expect(await Promise.all([away, here].map(textsOn))).toEqual([all, all]))
  expect(await logOn(away).locator('.pending').count()).toBe(0)
  expect(await logOn(here).getByText('while you were away').count()).toBe(0)
  // The line is above the first missed message.
  expect(await logOn(away).locator('.missed + .message .text').innerText()).toBe('Where is Anna?')
  await say(away, 'Here I am')
  await logOn(away).getByText('while you were away').waitFor({ state: 'detached' })

  await away.reload()
  await isConnected(away)
  await eventually(async () => expect(await textsOn(away)).toEqual([...all, 'Here I am']))
  expect(await logOn(away).locator('.own .text').allInnerTexts()).toEqual([
    'Back in a moment',
    'First offline',
    'Second offline',
    'Here I am',
  ])
})

test('[E6] a page shows the newest messages, and older ones on demand', async () => {
  const client = await connectByHand(two.addresses[0])
  const texts = Array.from({ length: 70 }, (_, index) => `Bar ${index + 1}`)
  for (const text of texts) expect(await client.request('event:publish', { channel: 'chat:random', data: message(text) })).toBe('ok')
  const page = await visit(two, 1)
  expect(await client.request('event:publish', { channel: 'chat:rehearsal', data: message('New') })).toBe('ok')
  await page.getByText('1 unread').waitFor()
  expect(await page.getByText('unread').count()).toBe(1)
  await page.getByRole('radio', { name: 'random' }).check()
  await eventually(async () => expect(await textsOn(page)).toEqual(texts.slice(-30)))
  const scrolled = (): Promise<number> =>
    logOn(page).evaluate(({ scrollTop, scrollHeight, clientHeight }) => scrollHeight - clientHeight - scrollTop)
  expect(await scrolled()).toBeLessThan(1)

  const topOf = async (text: string): Promise<number> => (await page.getByText(text, { exact: true }).boundingBox())?.y ?? NaN
  await logOn(page).evaluate((log) => (log.scrollTop = 1))
  const before = await topOf('Bar 41')
  await eventually(async () => expect(await textsOn(page)).toEqual(texts.slice(-60)))
  expect(Math.abs((await topOf('Bar 41')) - before)).toBeLessThan(50)
  const earlier = page.getByRole('button', { name: 'Show earlier messages' })
  await earlier.focus()
  await page.keyboard.press('Enter')
  await eventually(async () => expect(await textsOn(page)).toEqual(texts))
  await earlier.waitFor({ state: 'detached' })
  await eventually(async () => expect(await logOn(page).evaluate((log) => log === document.activeElement)).toBe(true))
})

test('[X6] messages that a page could not show are refused', async () => {
  const client = await connectByHand(two.addresses[0])
  for (const change of [{ at: 1e300 }, { at: 'now' }, { from: 1 }, { text: 'x'.repeat(301) }]) {
    const data = { ...message('No'), ...change }
    expect([change, await client.request('event:publish', { channel: 'chat:lobby', data })]).toEqual([change, 'INVALID_VALUE'])
  }
})
