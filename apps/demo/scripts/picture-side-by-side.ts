import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Browser } from 'playwright-core'

const WINDOW = { width: 760, height: 1080 }

/** Two windows on two instances, as one picture: what one types is in the other. */
export async function pictureSideBySide(browser: Browser, addresses: readonly [string, string], path: string): Promise<void> {
  const contexts = await Promise.all(
    (['light', 'dark'] as const).map((colorScheme) => browser.newContext({ viewport: WINDOW, colorScheme, reducedMotion: 'reduce' })),
  )
  const pages = await Promise.all(contexts.map((context) => context.newPage()))
  const [left, right] = pages
  if (!left || !right) throw new Error('There are two windows.')
  await Promise.all([left.goto(addresses[0]), right.goto(addresses[1])])
  for (const page of pages) await page.getByText('Connected', { exact: true }).waitFor()
  const shots = await Promise.all(pages.map((page) => page.screenshot()))
  const frame = await browser.newPage({ viewport: { width: 1600, height: 1136 } })
  await frame.setContent(html(shots.map((shot, index) => ({ address: addresses[index === 0 ? 0 : 1], image: shot.toString('base64') }))))
  mkdirSync(dirname(path), { recursive: true })
  await frame.screenshot({ path })
  await Promise.all([frame.close(), ...contexts.map((context) => context.close())])
}

const html = (windows: readonly { address: string; image: string }[]): string => `<style>
  body { display: flex; gap: 32px; margin: 0; padding: 24px; background: #e8eceb; font: 13px system-ui; }
  figure { flex: 1; margin: 0; border-radius: 12px; overflow: hidden; box-shadow: 0 8px 32px #0003; background: #fff; }
  figcaption { padding: 9px 16px; color: #555; background: #f7f7f7; border-bottom: 1px solid #ddd; }
  img { display: block; width: 100%; }
</style>${windows.map(({ address, image }) => `<figure><figcaption>${address}</figcaption><img src="data:image/png;base64,${image}"></figure>`).join('')}`
