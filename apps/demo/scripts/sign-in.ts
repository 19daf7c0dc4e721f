import type { Page } from 'playwright-core'

/** Signs in on a page, and adds missing notes to the user's own list. */
export async function signIn(page: Page, name: string, notes: readonly string[]): Promise<void> {
  await page.getByLabel('Sign in as').fill(name)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.signed-in').waitFor()
  await page.getByText('Connected', { exact: true }).waitFor()
  const list = page.getByRole('list', { name: 'Your own list' })
  for (const text of notes) {
    if ((await list.getByText(text).count()) > 0) continue
    await page.getByLabel('Add to your own list').fill(text)
    await page.getByLabel('Add to your own list').press('Enter')
    await list.getByText(text).waitFor()
  }
}
