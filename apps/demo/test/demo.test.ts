import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort, startRedis, type TestRedis } from '@tutti/test-kit'
import axe, { type RunOptions } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEMO_FOLDER } from '../scripts/demo-folder.ts'
import { openBrowser } from '@tutti/test-kit/browser'
import { startInstance, type DemoInstance } from '../scripts/start-instance.ts'
import { addToList, countOn, isConnected, lastAction, listOn, openPage, say, shows } from './open-page.ts'

declare global {
  interface Window {
    axe: typeof axe
  }
}

/** The time limit for a change to appear in another browser on another instance. */
const BOUND_MS = 2_000

let folder: string
let file: string
let redis: TestRedis
let browser: Browser
let instances: DemoInstance[]
let addresses: [string, string]
/** Two visitors, each on a separate instance. */
let one: Page
let two: Page

beforeAll(async () => {
  // Outside this repository: the build has no other dependencies.
  folder = mkdtempSync(join(tmpdir(), 'tutti-demo-'))
  cpSync(join(DEMO_FOLDER, '.output'), folder, { recursive: true })
  file = join(folder, 'server/index.mjs')
  redis = await startRedis()
  const start = async (): Promise<DemoInstance> => startInstance({ file, folder, port: await freePort(), env: { REDIS_URL: redis.url } })
  const [first, second, opened] = await Promise.all([start(), start(), openBrowser()])
  browser = opened
  instances = [first, second]
  addresses = [first.address, second.address]
  ;[one, two] = await Promise.all([openPage(browser, first.address), openPage(browser, second.address)])
}, 120_000)

afterAll(async () => {
  await browser.close()
  await Promise.all(instances.map((instance) => instance.stop()))
  await redis.stop()
  rmSync(folder, { recursive: true, force: true })
})

/**
 * Runs rounds in both directions and prints the delay between an action and its display on the other page; `round` returns the
 * time of the display.
 */
async function expectToCross(name: string, round: (from: Page, to: Page, turn: number) => Promise<number>): Promise<void> {
  const times: number[] = []
  for (let turn = 0; turn < 10; turn++) {
    const [from, to] = turn % 2 === 0 ? ([one, two] as const) : ([two, one] as const)
    const shownAt = await round(from, to, turn)
    times.push(shownAt - (await lastAction(from)))
  }
  const sorted = times.toSorted((a, b) => a - b)
  const [best = Infinity, median = Infinity, worst = Infinity] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)]
  console.log(`${name}: median ${median} ms, worst ${worst} ms`)
  // A delay by the demo is in each round, one by other work of the machine is not.
  expect(best, `${name}, best of ${times.length}`).toBeLessThan(BOUND_MS)
}

test('[S4] the pages of two instances show that they are on different ones', async () => {
  const names = await Promise.all([one, two].map((page) => page.locator('.instance code').innerText()))
  expect(new Set(names).size).toBe(2)
})

test('[S4] counter, list and form reach the other instance within the time limit', async () => {
  await expectToCross('counter', async (from, to) => {
    const before = await countOn(from)
    await from.getByRole('button', { name: 'Add one' }).click()
    return shows(to, 'output', String(before + 1))
  })
  await expectToCross('list', async (from, to, turn) => {
    await addToList(from, `Entry ${turn}`)
    return shows(to, '.rows .text', `Entry ${turn}`)
  })
  await expectToCross('form (debounced by 300 ms)', async (from, to, turn) => {
    await from.getByLabel('Name of the room').fill(`Room ${turn}`)
    const shownAt = await shows(to, 'h1', `Room ${turn}`)
    // Until then the field is locked for others.
    await from.getByLabel('Name of the room').blur()
    return shownAt
  })
})

test('[E6] chat reaches the other instance in time, also a room that is not shown', async () => {
  await expectToCross('chat', async (from, to, turn) => {
    await say(from, `Hello ${turn}`)
    return shows(to, '[role=log] .text', `Hello ${turn}`)
  })
  expect(await one.getByRole('log').locator('.text').allInnerTexts()).toEqual(Array.from({ length: 10 }, (_, turn) => `Hello ${turn}`))

  await one.getByRole('radio', { name: 'random' }).check()
  await say(one, 'Elsewhere')
  await two.getByText('1 unread').waitFor()
  expect(await two.getByRole('log').getByText('Elsewhere').count()).toBe(0)
  await two.getByRole('radio', { name: 'random' }).check()
  await two.getByRole('log').getByText('Elsewhere').waitFor()
  expect(await two.getByText('unread').count()).toBe(0)
})

test('[S7] concurrent clicks on two instances all count', async () => {
  const before = await countOn(one)
  const clickTimes = (page: Page): Promise<void> =>
    page.evaluate(() => {
      const button = [...document.querySelectorAll('button')].find((each) => each.textContent.includes('Add one'))
      for (let click = 0; click < 50; click++) button?.click()
    })
  await Promise.all([clickTimes(one), clickTimes(two)])
  await eventually(async () => expect(await Promise.all([countOn(one), countOn(two)])).toEqual([before + 100, before + 100]))
})

test('[S8] entries and fields that two users add or change at once are all kept', async () => {
  await Promise.all([addToList(one, 'From the one'), addToList(two, 'From the other')])
  await Promise.all([one.getByLabel('Name of the room').fill('A name from the one'), two.getByLabel('About').fill('A text from the other')])
  await eventually(async () => {
    for (const page of [one, two]) {
      expect(await listOn(page)).toEqual(expect.arrayContaining(['From the one', 'From the other']))
      expect(await page.locator('h1').innerText()).toBe('A name from the one')
      expect(await page.locator('.intro .about').innerText()).toBe('A text from the other')
    }
  })
})

test('[S17] concurrent rename and tick are both kept, and removals reach all pages', async () => {
  await addToList(one, 'Rename me')
  await shows(two, '.rows .text', 'Rename me')
  await one.getByRole('button', { name: 'Rename Rename me' }).click()
  await one.getByLabel('New text').fill('Renamed')
  await two.getByRole('checkbox', { name: 'Rename me' }).check()
  await one.getByLabel('New text').press('Enter')
  await eventually(async () => {
    for (const page of [one, two]) expect(await page.getByRole('checkbox', { name: 'Renamed', exact: true }).isChecked()).toBe(true)
  })
  // The focus stays on the element.
  expect(await one.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Rename Renamed')
  await one.keyboard.press('Enter')
  await one.keyboard.press('Escape')
  expect(await one.getByLabel('New text').count()).toBe(0)
  await one.keyboard.press('Tab')
  await one.keyboard.press('Enter')
  await eventually(async () => expect((await Promise.all([one, two].map(listOn))).flat()).not.toContain('Renamed'))
  expect(await one.evaluate(() => document.activeElement?.getAttribute('placeholder'))).toBe('Bring the sheet music')
})

test('[S14] after concurrent changes with one page offline, both agree', async () => {
  const before = await countOn(one)
  await one.getByRole('switch').click()
  await one.getByText('Offline', { exact: true }).first().waitFor()
  expect(await one.locator('.sync').allInnerTexts()).toEqual(['Offline', 'Offline', 'Offline'])

  for (let click = 0; click < 3; click++) await one.getByRole('button', { name: 'Add one' }).click()
  for (let click = 0; click < 5; click++) await two.getByRole('button', { name: 'Add one' }).click()
  await addToList(one, 'Written offline')
  await addToList(two, 'Written online')
  await one.getByLabel('Name of the room').fill('Named offline')
  await two.getByRole('radio', { name: 'violet' }).check()
  await say(one, 'Is anybody here?')

  expect(await countOn(one)).toBe(before + 3)
  expect(await one.getByText('Waiting for the connection').count()).toBe(3)
  await one.getByText('One message will be sent when you are back online.').waitFor()
  await eventually(async () => expect(await countOn(two)).toBe(before + 5))
  expect(await listOn(two)).not.toContain('Written offline')

  await one.getByRole('switch').click()
  await isConnected(one)
  await eventually(async () => {
    expect(await Promise.all([countOn(one), countOn(two)])).toEqual([before + 8, before + 8])
    const [first, second] = await Promise.all([listOn(one), listOn(two)])
    expect(first).toEqual(second)
    expect(first).toEqual(expect.arrayContaining(['Written offline', 'Written online']))
    for (const page of [one, two]) {
      expect(await page.locator('h1').innerText()).toBe('Named offline')
      expect(await page.locator('.page').getAttribute('data-colour')).toBe('violet')
      expect(await page.getByText('Waiting for the connection').count()).toBe(0)
    }
  })
})

test('[S22] the first HTML contains stored values, also without JavaScript', async () => {
  await addToList(one, 'In the first HTML')
  await one.getByLabel('About').fill('Stored & <escaped> </script>')
  await one.getByText('In sync').nth(2).waitFor()
  const count = await countOn(one)
  const html = await eventually(async () => {
    const text = await (await fetch(addresses[1])).text()
    expect(text).toContain('Stored &amp; &lt;escaped&gt; &lt;/script&gt;</p>')
    return text
  })
  expect(html).toContain(`>${count}</output>`)
  expect(html).toContain('In the first HTML')

  const plain = await openPage(browser, addresses[1], { javaScriptEnabled: false })
  expect(await countOn(plain)).toBe(count)
  expect(await listOn(plain)).toContain('In the first HTML')
  expect(await plain.getByLabel('About').inputValue()).toBe('Stored & <escaped> </script>')
  expect(await plain.locator('noscript').innerHTML()).toContain('as they are stored')
  await plain.context().close()
})

test('[S22] the page is hydrated with its content: no other value appears', async () => {
  await one.getByRole('button', { name: 'Add one' }).click()
  await eventually(async () => expect(await countOn(two)).toBe(await countOn(one)))
  const context = await browser.newContext()
  const complaints: string[] = []
  const page = await context.newPage()
  page.on('console', (message) => (['error', 'warning'].includes(message.type()) ? complaints.push(message.text()) : undefined))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.addInitScript(() => {
    const seen = new Set<string>()
    Object.assign(window, { seenCounts: seen })
    new MutationObserver(() => {
      const text = document.querySelector('output')?.textContent
      if (text !== undefined) seen.add(text)
    }).observe(document, { subtree: true, childList: true, characterData: true })
  })
  await page.goto(addresses[0])
  await isConnected(page)
  await eventually(async () => expect(await page.getByText('In sync').count()).toBe(3))
  expect(await page.evaluate(() => [...Reflect.get(window, 'seenCounts')])).toEqual([String(await countOn(page))])
  expect(complaints).toEqual([])
  await context.close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds no serious violation in ${colorScheme} mode, in every state and colour`, async () => {
    const page = await openPage(browser, addresses[0], { colorScheme, reducedMotion: 'reduce' })
    await page.evaluate(axe.source)
    const expectClean = async (when: string, options: RunOptions = {}): Promise<void> => {
      const { violations, passes } = await page.evaluate(async (how) => {
        // What fades has less contrast.
        const fading = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
        await Promise.allSettled(fading.map(({ finished }) => finished))
        // A cursor fades as soon as it is idle, also while axe runs.
        return window.axe.run({ exclude: ['.cursor'] }, how)
      }, options)
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect(serious.map(({ id, nodes }) => `${when}: ${id} at ${nodes.map(({ html }) => html).join(', ')}`)).toEqual([])
      expect(passes.flatMap(({ nodes }) => nodes).length, when).toBeGreaterThan(20)
    }
    await two.getByRole('radio', { name: 'random' }).check()
    await eventually(async () => {
      await two.mouse.move(300 + 100 * Math.random(), 300)
      await page.locator('.cursor:not(.idle) .flag').first().waitFor({ timeout: 1_000 })
      const { violations, passes } = await page.evaluate(() => window.axe.run('.flag', { runOnly: ['color-contrast'] }))
      expect([violations, passes.length]).toEqual([[], 1])
    })
    await say(two, 'Hello')
    await say(page, 'Hello')
    await shows(page, '[role=log] .text', 'Hello')
    await page.getByText('1 unread').waitFor()
    await page.getByRole('button', { name: 'Rename' }).first().click()
    for (const summary of await page.locator('summary').all()) await summary.click()
    for (const colour of ['sea', 'violet', 'rose', 'ember', 'moss', 'pine']) {
      await page.getByRole('radio', { name: colour }).check()
      await expectClean(colour, { runOnly: ['color-contrast'] })
    }
    await page.getByRole('switch').click()
    await page.getByRole('button', { name: 'Add one' }).click()
    await say(page, 'Not read')
    await page.getByText('One message will be sent when you are back online.').waitFor()
    await page.getByText('Waiting for the connection').first().waitFor()
    await expectClean('offline')
    await page.context().close()
  })
}

test('changes by others are highlighted briefly, local changes are not', async () => {
  const lights = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('output')?.getAnimations().length ?? 0)
  await eventually(async () => expect(await Promise.all([lights(one), lights(two)])).toEqual([0, 0]))
  // Some clicks while others are in flight.
  await one.evaluate(async () => {
    const button = [...document.querySelectorAll('button')].find((each) => each.textContent.includes('Subtract one'))
    for (let click = 0; click < 40; click++) {
      button?.click()
      await new Promise(requestAnimationFrame)
    }
  })
  await eventually(async () => expect(await lights(two)).toBeGreaterThan(0))
  expect(await lights(one)).toBe(0)
})

test('no page scrolls sideways on a phone, regardless of its texts', async () => {
  const page = await openPage(browser, addresses[0], { viewport: { width: 390, height: 844 } })
  await addToList(page, 'W'.repeat(80))
  await page.getByLabel('Name of the room').fill('W'.repeat(60))
  await say(page, 'W'.repeat(300))
  await page.getByRole('log').getByText('WWW').waitFor()
  for (const summary of await page.locator('summary').all()) await summary.click()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  await page.context().close()
})

test('the chosen theme is stored and applied before the first paint', async () => {
  const page = await openPage(browser, addresses[0], { colorScheme: 'light' })
  const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const colour = await page.locator('.page').getAttribute('data-colour')
  expect(await (await fetch(addresses[0] ?? '')).text()).toContain(`<html lang="en" data-colour="${colour}">`)
  const light = await paper()
  await page.getByRole('button', { name: 'Dark colours' }).click()
  const dark = await paper()
  expect(dark).not.toBe(light)
  await page.reload({ waitUntil: 'commit' })
  await page.locator('.page').waitFor()
  expect(await paper()).toBe(dark)
  await page.context().close()
})
