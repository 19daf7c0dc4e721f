import type { Browser, Page } from 'playwright-core'
import { signIn } from './sign-in.ts'

/** A user and the place of their pointer: the title of a panel, and shares of its width and height. */
interface Other {
  readonly name: string
  /** The label of a field that they edit. */
  readonly edits?: string
  readonly panel: string
  readonly x: number
  readonly y: number
}

const OTHERS: readonly Other[] = [
  { name: 'Celesta', panel: 'Counter', x: 0.62, y: 0.3 },
  { name: 'Bruno Harp', panel: 'List', x: 0.42, y: 0.62 },
  { name: 'Ottilie', edits: 'About', panel: 'Form', x: 0.85, y: 0.36 },
]

/** Other users in windows on both instances, each with a pointer on a panel, one of them in a field. Returns a function that closes the windows. */
export async function showOthers(browser: Browser, addresses: readonly [string, string]): Promise<() => Promise<void>> {
  const pages = await Promise.all(
    OTHERS.map(async (other, index) => {
      const page = await (await browser.newContext({ viewport: { width: 1280, height: 1100 } })).newPage()
      await page.goto(addresses[index % 2 === 0 ? 0 : 1])
      await signIn(page, other.name, [])
      if (other.edits !== undefined) await page.getByRole('textbox', { name: other.edits }).focus()
      await pointAt(page, other)
      return page
    }),
  )
  return async () => void (await Promise.all(pages.map((page) => page.context().close())))
}

/** Moves the pointer of a page to a place in a panel. */
export async function pointAt(page: Page, { panel, x, y }: Omit<Other, 'name'>): Promise<void> {
  const box = await page.locator(`[data-cursor-area="${panel}"]`).boundingBox()
  if (!box) throw new Error(`There is no panel ${panel}.`)
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height)
}
