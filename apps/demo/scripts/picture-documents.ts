import { join } from 'node:path'
import type { Page } from 'playwright-core'

const TEXT = `First half
Haydn: Symphony No. 45, the last movement by candlelight

Second half
Mendelssohn: Octet, slower than last time

To be decided: the encore. `

/** Opens a page in a context of its own. */
type OpenPage = (address: string, viewport: { width: number; height: number }, colorScheme: 'light' | 'dark') => Promise<Page>

/** Pictures of the page of documents at two widths, light and dark: the list, a text that another user edits, and its history. */
export async function pictureDocuments([left, right]: [string, string], openPage: OpenPage, folder: string): Promise<void> {
  const author = await openPage(`${right}/documents`, { width: 1280, height: 800 }, 'light')
  await author.getByRole('button', { name: 'New', exact: true }).click()
  await author.getByRole('textbox', { name: 'Title' }).fill('Programme of the winter concert')
  await author.getByRole('textbox', { name: 'Title' }).press('Enter')
  await author.getByText('Saved', { exact: true }).waitFor()
  await author.keyboard.insertText(TEXT)
  await author.getByRole('button', { name: 'History', exact: true }).click()
  await author.getByLabel('Name of the version').fill('First draft')
  await author.getByLabel('Name of the version').press('Enter')
  await author.getByRole('button', { name: /First draft/ }).waitFor()
  await author.getByRole('textbox', { name: 'Text' }).press('Control+End')
  for (const width of [390, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await openPage(`${left}/documents`, { width, height: width === 390 ? 844 : 800 }, colorScheme)
      const picture = (name: string): Promise<Buffer> =>
        page.screenshot({ path: join(folder, `documents-${name}-${width}-${colorScheme}.png`) })
      await picture('list')
      await page.getByRole('link', { name: 'Programme of the winter concert' }).click()
      await page.locator('.cm-ySelectionCaret').waitFor()
      await picture('open')
      await page.getByRole('button', { name: 'History', exact: true }).click()
      await page.getByRole('button', { name: /First draft/ }).waitFor()
      await picture('history')
      await page.getByRole('button', { name: /First draft/ }).click()
      await page.getByRole('region', { name: 'The text of First draft' }).waitFor()
      await picture('version')
      await page.getByRole('switch').click()
      await page.getByText('Offline', { exact: true }).first().waitFor()
      await picture('offline')
      await page.context().close()
    }
  }
  await author.context().close()
}
