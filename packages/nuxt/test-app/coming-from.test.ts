import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'
import type { NuxtServer } from '../test/nuxt-server.ts'
import { visit, type Visitor } from './visitor.ts'

const PAGE = new URL('../../../docs/coming-from-nuxt-realtime.md', import.meta.url)
/** The examples of the page, in their order. */
const NAMES = ['counter', 'form', 'document', 'chat', 'history', 'presence', 'lock']

let app: NuxtApp
let server: NuxtServer
let browser: Browser
beforeAll(async () => {
  ;[app, browser] = await Promise.all([createNuxtApp(), openBrowser()])
  const examples = [...(await readFile(PAGE, 'utf8')).matchAll(/^```vue\n(.*?)^```$/gms)].map(([, text = '']) => text)
  expect(examples).toHaveLength(NAMES.length)
  for (const [index, name] of NAMES.entries()) {
    // A page has one root element; an example may have several.
    const page = (examples[index] ?? '').replace('<template>', '<template><main>').replace('</template>', '</main></template>')
    await writeFile(join(app.folder, `app/pages/${name}.vue`), page)
  }
  // The examples have names of their own.
  for (const path of ['server/realtime.ts', 'shared/realtime.ts']) await rm(join(app.folder, path))
  const config = join(app.folder, 'nuxt.config.ts')
  const durable = "tutti: { durable: { 'history:*': { maxRecords: 1_000 } } },"
  await writeFile(config, (await readFile(config, 'utf8')).replace("modules: ['@tutti/nuxt'],", `$& ${durable}`))
  await app.build()
  server = await app.serve()
})
afterAll(async () => {
  await Promise.all([server.kill(), browser.close()])
  await app.remove()
})

/** An example in two browsers. */
async function visitTwice(name: string): Promise<[Visitor, Visitor]> {
  const pages = await Promise.all([visit(browser, `${server.url}/${name}`), visit(browser, `${server.url}/${name}`)])
  await Promise.all(pages.map(({ page }) => page.waitForLoadState('networkidle')))
  return pages
}

test('[docs] the counter', async () => {
  const [ann, ben] = await visitTwice('counter')
  await Promise.all([ann.page.click('button >> nth=1'), ben.page.click('button >> nth=1')])
  await Promise.all([ann.shows('main', '- 2 +'), ben.shows('main', '- 2 +')])
  expect([...ann.complaints, ...ben.complaints]).toEqual([])
})

test('[docs] the form', async () => {
  const [ann, ben] = await visitTwice('form')
  await Promise.all([ann.page.fill('input >> nth=0', 'Ann'), ben.page.fill('textarea', 'Hello')])
  await eventually(async () => expect(await ben.page.inputValue('input >> nth=0')).toBe('Ann'))
  await eventually(async () => expect(await ann.page.inputValue('textarea')).toBe('Hello'))
})

test('[docs] the document that is saved on request', async () => {
  const [ann, ben] = await visitTwice('document')
  await ann.page.fill('textarea', 'Draft')
  expect(await ben.page.inputValue('textarea')).toBe('')
  await ann.page.click('button')
  await eventually(async () => expect(await ben.page.inputValue('textarea')).toBe('Draft'))
  await eventually(async () => expect(await ann.page.isDisabled('button')).toBe(true))
})

test('[docs] the chat with a wildcard', async () => {
  const [ann, ben] = await visitTwice('chat')
  await ann.page.click('button')
  await Promise.all([ann.shows('p', 'chat:lobby: hello'), ben.shows('p', 'chat:lobby: hello')])
  expect([...ann.complaints, ...ben.complaints]).toEqual([])
})

test('[docs] the chat with a history', async () => {
  const [ann, ben] = await visitTwice('history')
  await ann.page.click('#send')
  await Promise.all([ann.shows('p', 'hello'), ben.shows('p', 'hello')])
  const late = await visit(browser, `${server.url}/history`)
  await late.shows('p', 'hello')
  expect([...ann.complaints, ...ben.complaints, ...late.complaints]).toEqual([])
})

test('[docs] the users that view a page', async () => {
  const [ann, ben] = await visitTwice('presence')
  await eventually(async () => expect(await ann.page.locator('span').count()).toBe(2))
  await ben.page.close()
  await eventually(async () => expect(await ann.page.locator('span').count()).toBe(1), { timeoutMs: 30_000 })
})

test('[docs] the lock of a title', async () => {
  const [ann, ben] = await visitTwice('lock')
  await ann.page.click('button')
  await ann.shows('button', 'Done')
  await ben.shows('p', 'Another user edits the title.')
  expect(await ben.page.isDisabled('button')).toBe(true)
  await ann.page.click('button')
  await ben.shows('p', 'The title is free.')
  expect([...ann.complaints, ...ben.complaints]).toEqual([])
})
