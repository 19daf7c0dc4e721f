import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNuxtApp, type NuxtApp } from './nuxt-app.ts'
import type { NuxtServer } from '../test/nuxt-server.ts'
import { visit } from './visitor.ts'

const SECRETS = { ann: 'Ann’s secret', ben: 'Ben’s secret' } as const
type Name = keyof typeof SECRETS
const NAMES: readonly Name[] = ['ann', 'ben']
const REQUESTS = 200

let app: NuxtApp
let server: NuxtServer
let browser: Browser
beforeAll(async () => {
  ;[app, browser] = await Promise.all([createNuxtApp(), openBrowser()])
  await app.build()
  server = await app.serve()
  for (const name of NAMES) {
    const body = JSON.stringify({ name, text: SECRETS[name] })
    await fetch(`${server.url}/api/notes`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  }
})
afterAll(async () => {
  await Promise.all([server.kill(), browser.close()])
  await app.remove()
})

/** Requests a path as both users in turn, all at once. */
async function requestAll(path: string): Promise<{ name: Name; html: string }[]> {
  const users = Array.from({ length: REQUESTS }, (_, index): Name => (index % 2 === 0 ? 'ann' : 'ben'))
  return Promise.all(
    users.map(async (name) => ({ name, html: await (await fetch(server.url + path, { headers: { cookie: `user=${name}` } })).text() })),
  )
}

const other = { ann: 'ben', ben: 'ann' } as const

test(`[X11] no page of ${REQUESTS} concurrent requests has the secret of another user`, async () => {
  for (const path of ['/notes', '/notes/_payload.json']) {
    const pages = await requestAll(path)
    expect(pages.filter(({ name, html }) => html.includes(SECRETS[other[name]]))).toEqual([])
    if (path === '/notes') expect(pages.filter(({ name, html }) => html.includes(SECRETS[name]))).toHaveLength(REQUESTS)
  }
})

test(`[X11] no cached page of ${REQUESTS} concurrent requests has a secret`, async () => {
  for (const path of ['/cached', '/cached?again', '/cached/_payload.json', '/public', '/static', '/static/_payload.json']) {
    const pages = await requestAll(path)
    expect(pages.filter(({ html }) => NAMES.some((name) => html.includes(SECRETS[name])))).toEqual([])
    if (path === '/cached' || path === '/public') expect(pages.every(({ html }) => html.includes('loading'))).toBe(true)
  }
})

test('[S22] on a cached page each browser requests what its own user may read', async () => {
  for (const [path, name] of ['/cached', '/public'].flatMap((path) => NAMES.map((name) => [path, name] as const))) {
    const visitor = await visit(browser, server.url + path, name)
    await visitor.shows(`#${name}`, SECRETS[name])
    await visitor.shows(`#${other[name]} em`, 'not')
    expect(await visitor.page.content()).not.toContain(SECRETS[other[name]])
    expect(visitor.complaints).toEqual([])
  }
})
