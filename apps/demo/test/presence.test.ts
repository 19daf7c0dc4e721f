import { eventually, freePort } from '@tutti/test-kit'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pointAt } from '../scripts/show-others.ts'
import { connectByHand } from './hand-made-client.ts'
import { openPage } from './open-page.ts'
import { startTwoInstances, type TwoInstances } from './two-instances.ts'
import { anotherWindow, inAnHour, tokenFor, visit, visitAs } from './visit.ts'

const ROOM = 'demo:page'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwoInstances()
}, 120_000)
afterAll(() => two.stop())

/** The number online and their names, as a screen reader reads them. */
const onlineOn = (page: Page): Promise<string | null> =>
  page
    .getByRole('button', { name: /online.*:/i })
    .locator('.names')
    .textContent()

/** The place of another user's cursor, as shares of a panel of the page. */
async function cursorIn(page: Page, panel: string, name: string): Promise<{ x: number; y: number } | undefined> {
  const area = await page.locator(`[data-cursor-area="${panel}"]`).boundingBox()
  const cursor = await page.locator('.cursor').filter({ hasText: name }).boundingBox({ timeout: 1_000 })
  return area && cursor ? { x: (cursor.x - area.x) / area.width, y: (cursor.y - area.y) / area.height } : undefined
}

test('[P1] pages of two instances show an avatar for each user, the own one first', async () => {
  const [anna, ben] = await Promise.all([visitAs(two, 'Anna', 0), visitAs(two, 'Ben', 1)])
  const annaElsewhere = await anotherWindow(two, anna, 1)
  await eventually(async () => {
    expect(await onlineOn(anna)).toBe('2 online: Anna (you), Ben')
    expect(await onlineOn(annaElsewhere)).toBe('2 online: Anna (you), Ben')
    expect(await onlineOn(ben)).toBe('2 online: Ben (you), Anna')
  })
  const guest = await visit(two, 0)
  await guest.getByLabel('Your name').fill('Gast')
  await eventually(async () => expect(await onlineOn(ben)).toBe('3 online: Ben (you), Anna, Gast'))
  const byHand = await Promise.all(
    ['carla', 'dora', 'emil'].map(async (name) =>
      connectByHand(two.addresses[0], `tutti-session=${await tokenFor(name, inAnHour(), two.secret)}`),
    ),
  )
  for (const client of byHand) expect(await client.request('presence:join', { room: ROOM, info: { name: 'Hand' } })).toBe('ok')
  await ben.getByRole('status').getByText('6 online').waitFor()
  await ben.getByText('+3').waitFor()
  await ben.getByRole('button', { name: /6 online/ }).click()
  await eventually(async () => {
    const names = await ben.getByRole('list', { name: 'Online' }).locator('li').allInnerTexts()
    expect(names.map((text) => text.split('\n').slice(1).join())).toEqual(['Ben (you)', 'Anna,2 windows', 'Gast', 'Hand', 'Hand', 'Hand'])
  })
})

test('[P5] a cursor is shown over the same panel on another width, until it leaves', async () => {
  const here = await visitAs(two, 'Fritz', 0)
  const there = await visit(two, 1, { viewport: { width: 390, height: 844 } })
  for (const at of [
    { panel: 'Form', x: 0.25, y: 0.4 },
    { panel: 'Counter', x: 0.9, y: 0.5 },
  ] as const) {
    await pointAt(here, at)
    await eventually(async () => {
      const cursor = await cursorIn(there, at.panel, 'Fritz')
      expect(cursor?.x).toBeCloseTo(at.x, 1)
      expect(cursor?.y).toBeCloseTo(at.y, 1)
    })
  }
  // It neither takes clicks nor makes the page wider.
  const cursor = there.locator('.cursor').filter({ hasText: 'Fritz' })
  expect(await cursor.evaluate((element) => getComputedStyle(element).pointerEvents)).toBe('none')
  expect(await there.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  expect(await here.locator('.cursor').filter({ hasText: 'Fritz' }).count()).toBe(0)
  await here.mouse.move(5, 5)
  await cursor.waitFor({ state: 'detached' })
})

test('[X1] a client made by hand cannot join other rooms, nor break the page', async () => {
  const page = await visit(two, 0)
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  const client = await connectByHand(two.addresses[1])
  expect(await client.request('presence:join', { room: 'demo:elsewhere', info: { name: 'Mallory' } })).toBe('FORBIDDEN')
  for (const info of [null, { name: 1 }, { name: 'x'.repeat(33) }]) {
    expect(await client.request('presence:join', { room: ROOM, info })).toBe('INVALID_VALUE')
  }
  expect(await client.request('presence:join', { room: ROOM, info: { name: 'Mallory' } })).toBe('ok')
  for (const data of ['here', { area: 'Form"]', x: 0, y: 0 }, { area: '', x: 'left', y: null }, { area: 'Form', x: 1e9, y: -1e9 }]) {
    client.send('presence:cursor', { room: ROOM, data })
    await client.request('storage:get', { key: 'demo:count' })
  }
  await eventually(async () =>
    expect(await cursorIn(page, 'Form', 'Mallory')).toMatchObject({ x: expect.closeTo(1, 1), y: expect.closeTo(0, 1) }),
  )
  expect(errors).toEqual([])
})

test('[L1] [L3] a text is locked while another user edits it, until that page is gone', async () => {
  const [karl, lena] = await Promise.all([visitAs(two, 'Karl', 0), visitAs(two, 'Lena', 1)])
  const nameOn = (page: Page) => page.getByLabel('Name of the room')
  await nameOn(karl).focus()
  await lena.getByText('Karl is editing').waitFor()
  expect(await Promise.all([nameOn(lena), lena.getByLabel('About'), nameOn(karl)].map((field) => field.isEditable()))).toEqual([
    false,
    true,
    true,
  ])
  expect(await karl.getByText('is editing').count()).toBe(0)
  await nameOn(karl).fill('Karl’s room')
  await nameOn(karl).blur()
  await eventually(async () => expect(await nameOn(lena).isEditable()).toBe(true))
  await nameOn(lena).focus()
  await karl.getByText('Lena is editing').waitFor()
  await eventually(async () => expect(await nameOn(lena).inputValue()).toBe('Karl’s room'))
  await lena.context().close()
  await karl.getByText('Lena is editing').waitFor({ state: 'detached' })
  expect(await nameOn(karl).isEditable()).toBe(true)
})

test('[P3] users of a killed instance leave all pages, and return with it', async () => {
  const port = await freePort()
  const killed = await two.startAnother(port)
  const [page, lost] = await Promise.all([visitAs(two, 'Iris', 0), openPage(two.browser, killed.address)])
  await lost.getByLabel('Your name').fill('Jonas')
  await pointAt(lost, { panel: 'Counter', x: 0.5, y: 0.5 })
  await page.locator('.cursor').filter({ hasText: 'Jonas' }).waitFor()
  process.kill(killed.pid, 'SIGKILL')
  await lost.getByText('Reconnecting').waitFor()
  expect(await onlineOn(lost)).toContain('Online before the connection was lost: Jonas (you)')
  await eventually(async () => expect(await onlineOn(page)).not.toContain('Jonas'))
  await page.locator('.cursor').filter({ hasText: 'Jonas' }).waitFor({ state: 'detached' })

  await two.startAnother(port)
  await lost.getByRole('switch').click()
  await lost.getByRole('switch').click()
  await eventually(async () => expect((await onlineOn(page))?.match(/Jonas/g)).toHaveLength(1))
  await eventually(async () => expect(await onlineOn(lost)).toMatch(/online: Jonas \(you\), .*Iris/))
  await lost.context().close()
})
