// `pnpm --filter @tutti/demo screenshots [folder] [--documents]`: pictures of the pages, light and dark, and docs/images/two-browsers.png;
// with `--documents` only of the page of documents.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@tutti/test-kit'
import type { Browser, Page } from 'playwright-core'
import { buildDemo } from './build-demo.ts'
import { DEMO_FOLDER } from './demo-folder.ts'
import { freePorts } from './free-ports.ts'
import { openBrowser } from '@tutti/test-kit/browser'
import { showOthers } from './show-others.ts'
import { pictureDocuments } from './picture-documents.ts'
import { pictureSideBySide } from './picture-side-by-side.ts'
import { signIn } from './sign-in.ts'
import { startInstance } from './start-instance.ts'

const folder = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? join(DEMO_FOLDER, '.screenshots')
const README_PICTURE = join(DEMO_FOLDER, '../../docs/images/two-browsers.png')

await buildDemo(console.log)
mkdirSync(folder, { recursive: true })
const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
const ports = await freePorts('127.0.0.1', 3000, 2)
const env = {
  REDIS_URL: redis.url,
  DATABASE_URL: await postgres.createDatabase(),
  DEMO_INSTANCES: ports.map((port) => `http://127.0.0.1:${port}`).join(','),
}
const onlyDocuments = process.argv.includes('--documents')
const instances = await Promise.all(ports.map((port) => startInstance({ port, env })))
const [left = '', right = ''] = instances.map(({ address }) => address)
const browser = await openBrowser()
try {
  if (!onlyDocuments) await pictureHome()
  await pictureDocuments([left, right], (...options) => open(browser, ...options), folder)
} finally {
  await browser.close()
  await Promise.all(instances.map((instance) => instance.stop()))
  await Promise.all([redis.stop(), postgres.stop()])
}
console.log(`The pictures are in ${folder} and ${README_PICTURE}`)

async function pictureHome(): Promise<void> {
  await everyLook(browser, left, 'empty')
  await fill(browser, left, right)
  await everyLook(browser, right, 'filled')
  await everyLook(browser, right, 'signed-in')
  const hideOthers = await showOthers(browser, [left, right])
  await everyLook(browser, right, 'present')
  await hideOthers()
  await pictureSideBySide(browser, [left, right], README_PICTURE)
}

async function everyLook(browser: Browser, address: string, name: string): Promise<void> {
  for (const width of [390, 768, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(browser, address, { width, height: width === 390 ? 844 : 800 }, colorScheme)
      if (name === 'signed-in' || name === 'present') await signIn(page, 'Viola', ['Bar 42, slowly', 'A present for Celesta'])
      if (name === 'present') await page.getByRole('button', { name: '4 online' }).waitFor()
      await page.evaluate(() => scrollTo(0, 0))
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true })
      if (colorScheme === 'light' && name === 'filled') {
        await page.getByRole('switch').click()
        await page.getByRole('button', { name: 'Add one' }).click()
        await page.evaluate(() => scrollTo(0, 0))
        await page.screenshot({ path: join(folder, `offline-${width}.png`) })
      }
      await page.context().close()
    }
  }
}

async function open(
  browser: Browser,
  address: string,
  viewport: { width: number; height: number },
  colorScheme: 'light' | 'dark',
): Promise<Page> {
  const isPhone = viewport.width < 500
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', hasTouch: isPhone, isMobile: isPhone })
  const page = await context.newPage()
  await page.goto(address)
  await page.getByText('Connected', { exact: true }).waitFor()
  return page
}

async function fill(browser: Browser, left: string, right: string): Promise<void> {
  const [one, two] = [
    await open(browser, left, { width: 1280, height: 800 }, 'light'),
    await open(browser, right, { width: 1280, height: 800 }, 'light'),
  ]
  for (let click = 0; click < 42; click++) await one.getByRole('button', { name: 'Add one' }).click()
  for (const text of [
    'Tune the harpsichord',
    'Copies of the second violin part',
    'Chairs for the choir',
    'Coffee',
    'Ask the neighbours about Sunday',
  ]) {
    await two.getByLabel('New entry').fill(text)
    await two.getByLabel('New entry').press('Enter')
  }
  await two.getByRole('checkbox', { name: 'Coffee' }).check()
  await one.getByText('1 of 5 done').waitFor()
  await signIn(one, 'Viola', [])
  await signIn(two, 'Celesta', [])
  await talk(one, two)
  await one.context().close()
  await two.context().close()
}

async function talk(one: Page, two: Page): Promise<void> {
  for (const [page, text] of [
    [one, 'Shall we take the second movement a little slower?'],
    [two, 'Gladly. And who brings the chairs for the choir?'],
    [two, 'I still have ten.'],
  ] as const) {
    await page.getByRole('textbox', { name: 'Message' }).fill(text)
    await page.getByRole('textbox', { name: 'Message' }).press('Enter')
    await one.getByRole('log').getByText(text).waitFor()
  }
}
