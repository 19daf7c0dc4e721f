import { SignJWT } from 'jose'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { isConnected, openPage } from './open-page.ts'
import type { TwoInstances } from './two-instances.ts'

/** A page of a separate visitor, on one of the instances. */
export async function visit({ browser, addresses }: TwoInstances, instance: 0 | 1, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await openPage(browser, addresses[instance], options)
  onTestFinished(() => page.context().close())
  return page
}

/** Signs in by the form of the page. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Sign in as').fill(name)
  await page.getByLabel('Sign in as').press('Enter')
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  await isConnected(page)
}

/** A page of a signed-in user. */
export async function visitAs(two: TwoInstances, name: string, instance: 0 | 1): Promise<Page> {
  const page = await visit(two, instance)
  await signIn(page, name)
  return page
}

/** Another window of the same browser, on an instance. */
export async function anotherWindow({ addresses }: TwoInstances, page: Page, instance: 0 | 1): Promise<Page> {
  const other = await page.context().newPage()
  await other.goto(addresses[instance])
  await isConnected(other)
  return other
}

/** Adds an entry to the signed-in user's list. */
export async function note(page: Page, text: string): Promise<void> {
  await page.getByLabel('Add to your own list').fill(text)
  await page.getByLabel('Add to your own list').press('Enter')
}

/** The entries of the signed-in user's list. */
export const notesOn = (page: Page): Promise<string[]> => page.getByRole('list', { name: 'Your own list' }).locator('.text').allInnerTexts()

/** The cookies of the page's browser as it sends them. */
export const cookiesOf = async (page: Page): Promise<string> =>
  (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')

/** A token as a server with this secret would sign it. `expiresAt`: milliseconds since 1970. */
export const tokenFor = (user: string, expiresAt: number, secret: string): Promise<string> =>
  new SignJWT({ name: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setJti(crypto.randomUUID())
    .setExpirationTime(new Date(expiresAt))
    .sign(new TextEncoder().encode(secret))

/** Milliseconds since 1970. */
export const inAnHour = (): number => Date.now() + 3_600_000
