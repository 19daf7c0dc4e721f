import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from '@tutti/test-kit'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startInstance } from '../scripts/start-instance.ts'
import { openPage } from './open-page.ts'
import { startTwoInstances, type TwoInstances } from './two-instances.ts'

let two: TwoInstances

beforeAll(async () => (two = await startTwoInstances({ hasDocuments: true })), 120_000)
afterAll(() => two.stop())

/** The page of documents of a separate visitor. */
async function visitDocuments(address: string): Promise<Page> {
  const page = await openPage(two.browser, `${address}/documents`)
  onTestFinished(() => page.context().close())
  return page
}

const editorOf = (page: Page) => page.getByRole('textbox', { name: 'Text' })
/** The text of the editor, without the cursors of others. */
const textOn = (page: Page): Promise<string> =>
  editorOf(page).evaluate((element) => {
    const copy = document.createElement('div')
    copy.innerHTML = element.innerHTML
    for (const cursor of copy.querySelectorAll('.cm-ySelectionCaret')) cursor.remove()
    return [...copy.children].map((line) => line.textContent).join('\n')
  })
/** Brief changes are shown as saved too: these are acknowledged. */
const isSaved = (page: Page): Promise<void> => page.locator('[data-pending="0"]').getByText('Saved', { exact: true }).waitFor()

/** Edits that the browser of a page has stored, of all its documents. */
const storedEdits = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB')))
      })
    let count = 0
    for (const { name = '' } of await indexedDB.databases()) {
      if (!name.startsWith('tutti-documents:')) continue
      const database = await settled(indexedDB.open(name))
      count += await settled(database.transaction('edits').objectStore('edits').count())
      database.close()
    }
    return count
  })
/** The browser has stored all changes that wait: the page may be closed. */
const isKept = (page: Page): Promise<void> =>
  eventually(async () => {
    const pending = Number(await page.locator('[data-pending]').getAttribute('data-pending'))
    expect(pending).toBeGreaterThan(0)
    expect(await storedEdits(page)).toBe(pending)
  })

/** Creates a document, and waits until its text can be written. */
async function create(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: 'New', exact: true }).click()
  await page.getByRole('textbox', { name: 'Title' }).fill(title)
  await page.getByRole('textbox', { name: 'Title' }).press('Enter')
  await isSaved(page)
}

test('[D1] two pages on two instances type into one document at once', async () => {
  const [one, other] = await Promise.all([visitDocuments(two.addresses[0]), visitDocuments(two.addresses[1])])
  await create(one, 'Programme')
  await other.getByRole('link', { name: 'Programme' }).click()
  await Promise.all([one, other].map(isSaved))
  await Promise.all([one, other].map((page) => page.getByRole('button', { name: '2 online' }).nth(1).waitFor()))
  await editorOf(one).pressSequentially('Haydn\n')
  await eventually(async () => expect(await textOn(other)).toContain('Haydn\n'))
  await editorOf(other).press('Control+End')
  // Each page shows the cursor of the other one, with a name.
  await Promise.all([one, other].map((page) => page.locator('.cm-ySelectionInfo').waitFor()))
  await editorOf(one).press('Control+Home')
  await Promise.all([editorOf(one).pressSequentially('First half. '), editorOf(other).pressSequentially('Mendelssohn')])
  const typed = 'First half. Haydn\nMendelssohn'
  await eventually(async () => expect([await textOn(one), await textOn(other)]).toEqual([typed, typed]))

  // Undo reverts the text of this page and leaves that of the other one.
  await eventually(async () => {
    // What was typed slowly is several steps.
    await editorOf(other).press('Control+z')
    expect(await textOn(other)).toBe('First half. Haydn\n')
  })
  await eventually(async () => expect(await textOn(one)).toBe('First half. Haydn\n'))
  await eventually(async () => {
    const redo = other.getByRole('button', { name: 'Redo' })
    if (await redo.isEnabled()) await redo.click()
    expect(await textOn(one)).toBe(typed)
  })

  await other.context().setOffline(true)
  await other.getByText('Offline', { exact: true }).first().waitFor()
  await editorOf(other).press('Control+End')
  await editorOf(other).pressSequentially(', offline')
  await other.getByText(/^Offline, \d+ changes waiting$/).waitFor()
  await editorOf(one).pressSequentially('Online. ')
  await isSaved(one)
  await other.context().setOffline(false)
  const merged = 'First half. Online. Haydn\nMendelssohn, offline'
  await eventually(async () => expect([await textOn(one), await textOn(other)]).toEqual([merged, merged]))
  await isSaved(other)
})

test('[D13] a page that is reloaded while offline shows and sends its changes', async () => {
  const [one, other] = await Promise.all([visitDocuments(two.addresses[0]), visitDocuments(two.addresses[1])])
  await create(one, 'Reloaded')
  await editorOf(one).pressSequentially('Before')
  await isSaved(one)
  await one.context().setOffline(true)
  await one.getByText('Offline', { exact: true }).first().waitFor()
  await editorOf(one).pressSequentially(', offline')
  await one.getByText(/^Offline, \d+ changes waiting$/).waitFor()
  await isKept(one)
  await one.close()

  // A page is loaded again, without its realtime connection.
  const context = one.context()
  let isAway = true
  await context.routeWebSocket(/socket\.io/, (socket) => void (isAway ? socket.close() : socket.connectToServer()))
  await context.route(/socket\.io/, (route) => route.abort())
  await context.setOffline(false)
  const again = await context.newPage()
  await again.goto(one.url())
  await again.getByText(/^Offline, \d+ changes waiting$/).waitFor()
  await eventually(async () => expect(await textOn(again)).toBe('Before, offline'))
  await editorOf(again).press('Control+End')
  await editorOf(again).pressSequentially(', again')
  await isKept(again)
  await again.reload()
  await eventually(async () => expect(await textOn(again)).toBe('Before, offline, again'))
  await other.getByRole('link', { name: 'Reloaded' }).click()
  await eventually(async () => expect(await textOn(other)).toBe('Before'))
  await editorOf(other).press('Control+Home')
  await editorOf(other).pressSequentially('Not seen. ')
  await isSaved(other)

  isAway = false
  await context.unrouteAll()
  await again.close()
  const last = await context.newPage()
  await last.goto(one.url())
  const merged = 'Not seen. Before, offline, again'
  await eventually(async () => expect([await textOn(last), await textOn(other)]).toEqual([merged, merged]))
  await isSaved(last)
})

test('a server with Redis and without a database has the reason on its page', async () => {
  const instance = await two.startAnother(await freePort(), { DATABASE_URL: '' })
  const page = await visitDocuments(instance.address)
  await page.getByRole('heading', { name: 'This server has no documents.' }).waitFor()
  expect(await page.getByRole('main').innerText()).toContain('DATABASE_URL')
  expect(instance.output).toContain('DATABASE_URL is not set')
})

test('documents are created, renamed, deleted and restored for all pages', async () => {
  const [one, other] = await Promise.all([visitDocuments(two.addresses[0]), visitDocuments(two.addresses[1])])
  await create(one, 'Draft')
  await editorOf(one).pressSequentially('Kept')
  await isSaved(one)
  await other.getByRole('link', { name: 'Draft' }).click()
  await other.getByRole('textbox', { name: 'Title' }).fill('Final')
  await one.getByRole('link', { name: 'Final' }).waitFor()
  await one.getByRole('button', { name: 'Delete Final' }).click()
  await other.getByText('This document was deleted.').waitFor()
  await one.getByRole('button', { name: 'Restore', exact: true }).click()
  await eventually(async () => expect(await textOn(other)).toBe('Kept'))
})

test('[D12] a version is saved, previewed, restored and deleted', async () => {
  const [one, other] = await Promise.all([visitDocuments(two.addresses[0]), visitDocuments(two.addresses[1])])
  await create(one, 'History')
  await editorOf(one).pressSequentially('As printed')
  await one.getByRole('button', { name: 'History', exact: true }).click()
  await one.getByLabel('Name of the version').fill('First edition')
  await one.getByLabel('Name of the version').press('Enter')
  await one.getByRole('button', { name: /First edition/ }).waitFor()
  await other.getByRole('link', { name: 'History' }).click()
  await other.getByRole('button', { name: 'History', exact: true }).click()
  await other.getByRole('button', { name: /First edition/ }).waitFor()
  await other.getByLabel('Name of the version').fill('Second edition')
  await other.getByLabel('Name of the version').press('Enter')
  await one.getByRole('button', { name: /Second edition/ }).waitFor()
  await other.getByRole('button', { name: 'Close the history' }).click()
  await eventually(async () => expect(await textOn(other)).toBe('As printed'))
  await editorOf(other).press('Control+a')
  await editorOf(other).pressSequentially('Rewritten')
  await eventually(async () => expect(await textOn(one)).toBe('Rewritten'))
  await one.getByRole('button', { name: /First edition/ }).click()
  await one.getByRole('region', { name: 'The text of First edition' }).getByText('As printed').waitFor()
  expect(await textOn(other)).toBe('Rewritten')
  await one.getByRole('button', { name: 'Restore', exact: true }).click()
  await eventually(async () => expect([await textOn(one), await textOn(other)]).toEqual(['As printed', 'As printed']))

  await one.getByRole('button', { name: /Second edition/ }).click()
  await one.getByRole('button', { name: 'Delete', exact: true }).click()
  await one.getByRole('button', { name: 'Delete for ever' }).click()
  await eventually(async () => expect(await one.getByRole('button', { name: /edition/ }).allInnerTexts()).toHaveLength(1))
  await other.getByRole('button', { name: 'History', exact: true }).click()
  await other.getByRole('button', { name: /First edition/ }).waitFor()
  expect(await other.getByRole('button', { name: /Second edition/ }).count()).toBe(0)
})

test('guests read the house rules and cannot change them', async () => {
  const page = await visitDocuments(two.addresses[0])
  await page.getByRole('link', { name: 'House rules' }).click()
  await page.getByText('You can read this document. Sign in to change it.').waitFor()
  await eventually(async () => expect(await textOn(page)).toContain('Please do not move the harpsichord.'))
  const editor = page.getByLabel('Text', { exact: true })
  expect(await editor.getAttribute('contenteditable')).toBe('false')
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => window.axe.run())
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id)).toEqual([])
})

test('the first page loads neither Yjs nor the editor', async () => {
  const page = await openPage(two.browser, two.addresses[0])
  onTestFinished(() => page.context().close())
  const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  expect(scripts.filter((name) => name.endsWith('.js'))).toHaveLength(1)
})

test('without Redis documents are stored on disk, in an empty folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-demo-documents-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const instance = await startInstance({ file: two.file, folder, port: await freePort() })
  onTestFinished(async () => void (await instance.stop()))
  const page = await visitDocuments(instance.address)
  // PGlite starts with the first document, and takes some seconds; on a busy machine half a minute.
  page.setDefaultTimeout(100_000)
  await create(page, 'On disk')
  await editorOf(page).pressSequentially('Kept')
  await isSaved(page)
  expect(readdirSync(join(folder, '.data/documents'))).toContain('PG_VERSION')
  expect(instance.output).not.toContain('Realtime (')
})
