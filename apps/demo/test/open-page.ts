import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** A page of a separate visitor, connected. */
export async function openPage(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  // Playwright's 30 s are too short for a busy machine.
  page.setDefaultTimeout(100_000)
  await rememberActions(page)
  await paintWithoutBlur(page)
  await page.goto(address)
  if (options.javaScriptEnabled !== false) await isConnected(page)
  return page
}

/** Settles when the page shows that it is connected. */
export const isConnected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor()

/** The value of the shared counter. */
export const countOn = async (page: Page): Promise<number> =>
  Number((await page.getByLabel('Shared count').innerText()).replaceAll(',', '').replace('−', '-'))

/** The entries of the shared list, in their displayed order. */
export const listOn = (page: Page): Promise<string[]> => page.getByRole('list', { name: 'Shared list' }).locator('.text').allInnerTexts()

/** Adds an entry to the shared list. */
export async function addToList(page: Page, text: string): Promise<void> {
  await page.getByLabel('New entry').fill(text)
  await page.getByLabel('New entry').press('Enter')
}

/** Sends a message to the visible room of the chat. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

/**
 * Settles in the frame in which an element shows the text (locators poll only at intervals); returns that time as `Date.now()`.
 */
export async function shows(page: Page, selector: string, text: string): Promise<number> {
  const when = await page.waitForFunction(
    (wanted) => [...document.querySelectorAll(wanted.selector)].some(({ textContent }) => textContent === wanted.text) && Date.now(),
    { selector, text },
  )
  return Number(await when.jsonValue())
}

/** The time of the last action of the user on this page, as `Date.now()`. */
export const lastAction = (page: Page): Promise<number> => page.evaluate(() => Number(Reflect.get(window, 'lastAction')))

/** Records the time of an action before the page receives it. */
async function rememberActions(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const remember = (): void => void Reflect.set(window, 'lastAction', Date.now())
    for (const name of ['click', 'input', 'submit']) addEventListener(name, remember, true)
  })
}

/** Chromium paints a blurred backdrop on the processor, again in each frame. */
async function paintWithoutBlur(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('* { backdrop-filter: none !important }')
    document.adoptedStyleSheets.push(sheet)
  })
}
