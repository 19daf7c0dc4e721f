import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createNuxtApp } from './nuxt-app.ts'
import { visit } from './visitor.ts'

const PAGE = new URL('../../../docs/nuxt-sign-in.md', import.meta.url)

/** What an application has beside `server/realtime.ts`: its session library, and a way to sign in as Ann. */
const APPLICATIONS: Record<string, Record<string, string>> = {
  'better-auth': {
    'server/utils/auth.ts': `
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'

export const auth = betterAuth({
  secret: 'a secret of thirty-two characters',
  baseURL: process.env.BETTER_AUTH_URL,
  telemetry: { enabled: false },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  advanced: { disableOriginCheck: true },
})`,
    'server/api/sign-in.get.ts': `
export default defineEventHandler(async () => {
  const body = { name: 'Ann', email: 'ann@app.example', password: 'a long password' }
  const { headers, response } = await auth.api.signUpEmail({ body, returnHeaders: true })
  return new Response(response.user.id, { headers })
})`,
  },
  'nuxt-auth-utils': {
    'nuxt.config.ts': `
export default defineNuxtConfig({
  modules: ['nuxt-auth-utils', '@tutti/nuxt'],
  compatibilityDate: '2026-01-01',
  devtools: { enabled: false },
  telemetry: false,
})`,
    'server/api/sign-in.get.ts': `
export default defineEventHandler(async (event) => {
  await setUserSession(event, { user: { id: 'ann' } })
  return 'ann'
})`,
  },
}

const PAGE_OF_NOTES = `
<script setup lang="ts">
const note = useRealtimeState<string>(() => 'notes:' + useRoute().query.id)
const { error } = note
</script>
<template><p id="note">{{ note }}</p><p id="error">{{ error?.message }}</p></template>`

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser.close())

for (const [library, files] of Object.entries(APPLICATIONS)) {
  test(`[X1] [X11] the documented use of ${library} identifies the user`, async () => {
    const app = await createNuxtApp()
    const text = await readFile(PAGE, 'utf8')
    const definition = new RegExp(`^\`\`\`ts ${library}\\n(.*?)^\`\`\``, 'ms').exec(text)?.[1] ?? expect.fail('no example')
    const all = { ...files, 'server/realtime.ts': definition, 'app/pages/notes.vue': PAGE_OF_NOTES }
    for (const [name, content] of Object.entries(all)) {
      await mkdir(dirname(join(app.folder, name)), { recursive: true })
      await writeFile(join(app.folder, name), content)
    }
    await app.build()
    const server = await app.serve({ NUXT_SESSION_PASSWORD: 'a password of thirty-two characters' })
    onTestFinished(async () => {
      await server.kill()
      await app.remove()
    })
    const ann = await visit(browser, `${server.url}/api/sign-in`)
    const id = await ann.text('body')
    await fetch(`${server.url}/api/notes`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: id, text: 'secret' }),
    })
    const path = `${server.url}/notes?id=${id}`
    const html = await (await ann.page.goto(path))?.text()
    expect(html).toContain('<p id="note">secret</p>')
    // A change arrives by the connection.
    await fetch(`${server.url}/api/notes`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: id, text: 'changed' }),
    })
    await ann.shows('#note', 'changed')
    expect(ann.complaints).toEqual([])
    const guest = await visit(browser, path)
    await guest.shows('#error', 'state:read')
    expect(await guest.page.content()).not.toMatch(/secret|changed/)
  })
}
