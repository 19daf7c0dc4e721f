import type { Browser, Page } from 'playwright-core'

/** A page of a visitor of its own, with all that it reported. */
export interface Visitor {
  readonly page: Page
  /** Warnings and errors of the console, and errors that no code caught. */
  readonly complaints: readonly string[]
  /** The hosts that the page sent requests to. */
  readonly hosts: ReadonlySet<string>
  text(selector: string): Promise<string>
  /** Settles when the element shows the text. */
  shows(selector: string, text: string): Promise<void>
}

/** Opens a page; settles when it is loaded. */
export async function visit(browser: Browser, url: string, user?: string): Promise<Visitor> {
  const context = await browser.newContext()
  if (user !== undefined) await context.addCookies([{ name: 'user', value: user, url }])
  const page = await context.newPage()
  const complaints: string[] = []
  const hosts = new Set<string>()
  page.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => hosts.add(new URL(request.url()).host))
  page.on('websocket', (socket) => hosts.add(new URL(socket.url()).host))
  await page.goto(url)
  return {
    page,
    complaints,
    hosts,
    text: (selector) => page.locator(selector).innerText(),
    shows: async (selector, text) => {
      const isShown = (wanted: { selector: string; text: string }): boolean =>
        document.querySelector(wanted.selector)?.textContent?.includes(wanted.text) === true
      await page.waitForFunction(isShown, { selector, text })
    },
  }
}

/** The same, on the first page of the example; settles when it is connected. */
export async function visitConnected(browser: Browser, url: string): Promise<Visitor> {
  const visitor = await visit(browser, url)
  await visitor.shows('#status', 'connected')
  return visitor
}
