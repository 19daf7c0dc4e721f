import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDocuments, pgliteStore } from '@tutti/documents/server'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually, fillPglite, freePort } from '@tutti/test-kit'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import { openApplication } from './open-application.ts'

/** The example for Tiptap. */
function recipe(port: number): string {
  const text = readFileSync(new URL('../../../packages/documents/README.md', import.meta.url), 'utf8')
  const code = /```ts\n(import \{ Editor \} from '@tiptap\/core'\n.*?)```/s.exec(text)?.[1]
  expect(code).toContain('3000')
  return code?.replace('3000', String(port)) ?? ''
}

async function serve(port: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'tutti-tiptap-'))
  const folder = join(root, 'documents')
  await fillPglite(folder, (made) => pgliteStore({ folder: made }))
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, {
    ...{ state: reactiveDriver(memoryDriver()), documents: createDocuments({ store: pgliteStore({ folder }) }), origins: '*' },
    onWarning: () => {},
  })
  httpServer.listen(port, '127.0.0.1')
  await once(httpServer, 'listening')
  onTestFinished(async () => {
    await realtime.close()
    httpServer.closeAllConnections()
    httpServer.close()
    rmSync(root, { recursive: true })
  })
}

const editorOf = (page: Page) => page.locator('.ProseMirror[contenteditable=true]')
const contentOf = (page: Page): Promise<unknown> => page.evaluate('editor.getHTML()')
const bothShow = (pages: readonly Page[], content: string): Promise<void> =>
  eventually(async () => expect(await Promise.all(pages.map(contentOf))).toEqual(pages.map(() => content)))

test('[D7] [README] two pages edit one document with Tiptap, with cursors and undo', async () => {
  const port = await freePort()
  const [{ open }] = await Promise.all([
    openApplication({ 'src/main.ts': `${recipe(port)}\nObject.assign(globalThis, { editor })` }),
    serve(port),
  ])
  const pages = await Promise.all([open(), open()])
  const [one, other] = pages
  await Promise.all(pages.map((page) => editorOf(page).waitFor({ timeout: 60_000 })))
  await editorOf(one).pressSequentially('Haydn')
  await one.keyboard.press('Control+Shift+Home')
  await one.keyboard.press('Control+b')
  await bothShow(pages, '<p><strong>Haydn</strong></p>')
  await editorOf(other).press('Control+End')
  await other.keyboard.press('Enter')
  await other.keyboard.press('Control+Alt+1')
  await other.keyboard.type('Mendelssohn')
  await Promise.all(pages.map((page) => page.locator('.collaboration-carets__label', { hasText: 'Ada' }).waitFor()))
  await bothShow(pages, '<p><strong>Haydn</strong></p><h1>Mendelssohn</h1><p></p>')
  await one.keyboard.press('Control+z')
  await eventually(async () => expect(await contentOf(other)).not.toContain('<strong>Haydn'))
  expect(await contentOf(other)).toContain('Mendelssohn')
  // What the browser has stored is shown again.
  await other.reload()
  await eventually(async () => expect(await contentOf(other)).toBe(await contentOf(one)))
})
