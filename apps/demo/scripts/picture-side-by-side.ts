import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { pointAt } from './show-others.ts'
import { signIn } from './sign-in.ts'

const WINDOW = { width: 760, height: 1440 }

/** Two windows on two instances, as one picture: changes of one appear in the other, except for the private list. */
export async function pictureSideBySide(browser: Browser, addresses: readonly [string, string], path: string): Promise<void> {
  const contexts = await Promise.all(
    (['light', 'dark'] as const).map((colorScheme) => browser.newContext({ viewport: WINDOW, colorScheme, reducedMotion: 'reduce' })),
  )
  const pages = await Promise.all(contexts.map((context) => context.newPage()))
  const [left, right] = pages
  if (!left || !right) throw new Error('There are two windows.')
  await Promise.all([left.goto(addresses[0]), right.goto(addresses[1])])
  for (const page of pages) await page.getByText('Connected', { exact: true }).waitFor()
  await signIn(left, 'Viola', ['Bar 42, slowly', 'A present for Celesta'])
  await signIn(right, 'Celesta', ['Call the piano tuner', 'A cake for Viola'])
  await say(left, 'Shall we take it a little slower?')
  await say(right, 'Andante then. I have set 84.')
  await right.getByRole('slider').fill('84')
  await left.getByText('Andante, 84 bpm').waitFor()
  await Promise.all(pages.map((page) => page.getByRole('log').getByText('Andante then').waitFor()))
  // No user is typing, and the highlights are over.
  await Promise.all(
    pages.map((page) => page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur())),
  )
  await left.waitForFunction(() => document.getAnimations().length === 0)
  await Promise.all(pages.map((page) => page.evaluate(() => scrollTo(0, 170))))
  // Earlier users are gone, and each window shows the pointer of the other.
  await Promise.all(pages.map((page) => page.getByRole('button', { name: '2 online' }).waitFor()))
  await pointAt(left, { panel: 'List', x: 0.4, y: 0.66 })
  await pointAt(right, { panel: 'Counter', x: 0.64, y: 0.36 })
  await Promise.all(pages.map((page) => page.locator('.cursor').waitFor()))
  const shots = await Promise.all(pages.map((page) => page.screenshot()))
  const frame = await browser.newPage({ viewport: { width: 1600, height: 1496 } })
  await frame.setContent(html(shots.map((shot, index) => ({ address: addresses[index === 0 ? 0 : 1], image: shot.toString('base64') }))))
  mkdirSync(dirname(path), { recursive: true })
  await frame.screenshot({ path })
  await Promise.all([frame.close(), ...contexts.map((context) => context.close())])
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByRole('log').getByText(text).waitFor()
}

const html = (windows: readonly { address: string; image: string }[]): string => `<style>
  body { display: flex; gap: 32px; margin: 0; padding: 24px; background: #e8eceb; font: 13px system-ui; }
  figure { flex: 1; margin: 0; border-radius: 12px; overflow: hidden; box-shadow: 0 8px 32px #0003; background: #fff; }
  figcaption { padding: 9px 16px; color: #555; background: #f7f7f7; border-bottom: 1px solid #ddd; }
  img { display: block; width: 100%; }
</style>${windows.map(({ address, image }) => `<figure><figcaption>${address}</figcaption><img src="data:image/png;base64,${image}"></figure>`).join('')}`
