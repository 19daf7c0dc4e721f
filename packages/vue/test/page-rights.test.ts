// @vitest-environment happy-dom
import { RealtimeError, type EntryPage } from '@tutti/protocol'
import { rules } from '@tutti/server'
import { eventually } from '@tutti/test-kit'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { serve, type Served } from './serve.ts'

/** A page that requests data of all users, of Ann and of Ben, regardless of its user. */
const Page = {
  setup: () => {
    const open = useRealtimeState('open', 'nothing')
    const notes = useRealtimeState('user:ann:notes', 'nothing')
    const list = useRealtimeCollection<string>('user:ann:list:')
    const all = useRealtimeCollection<string>('user:')
    const codeOf = (error: Error | undefined) => (error instanceof RealtimeError ? error.code : 'none')
    return { open, notes, list, all, openError: open.error, notesError: notes.error, notesLoading: notes.loading, codeOf }
  },
  template: `<p>{{ open }} {{ codeOf(openError) }}</p>
<p>{{ notes }} {{ notesLoading }} {{ codeOf(notesError) }}</p>
<p>{{ list.items.value.map(({ value }) => value).join() }} {{ list.loading.value }} {{ codeOf(list.error.value) }}</p>
<p>{{ all.items.value.map(({ value }) => value).join() }} {{ all.loading.value }} {{ codeOf(all.error.value) }}</p>`,
}

async function served(): Promise<Served> {
  const server = await serve({
    authenticate: ({ token = 'nobody' }) => ({ id: token }),
    authorize: rules({ state: { open: { read: true, write: true }, 'user:{id}:*': { read: true, write: true } } }),
  })
  for (const [key, value] of Object.entries({
    open: 'open',
    'user:ann:notes': 'secret notes',
    'user:ann:list:1': 'secret one',
    'user:ben:list:1': 'Ben’s',
  })) {
    await server.realtime.state.set(key, value)
  }
  return server
}

async function renderAs(server: Served, id: string) {
  const { read, list } = server.realtime.as({ id }).state
  const realtime = createRealtime({ read, list })
  const errors: unknown[] = []
  const app = createSSRApp(Page).use(realtime)
  app.config.errorHandler = (error) => errors.push(error)
  return { html: await renderToString(app), entries: realtime.dehydrate(), errors }
}

const linesOf = (html: string): string[] => [...html.matchAll(/<p>(.*?)<\/p>/g)].map(([, line = '']) => line)

test('[S22] [X11] a page shows readable data, and the errors of unreadable data', async () => {
  const server = await served()
  const ofAnn = await renderAs(server, 'ann')
  expect(linesOf(ofAnn.html)).toEqual([
    'open none',
    'secret notes false none',
    'secret one false none',
    'secret one,secret notes false none',
  ])
  const ofBen = await renderAs(server, 'ben')
  expect(linesOf(ofBen.html)).toEqual(['open none', 'nothing false FORBIDDEN', ' false FORBIDDEN', 'Ben’s false none'])
  expect(ofBen.entries).not.toMatch(/secret|user:ann:list:1/)
  expect([ofAnn.errors, ofBen.errors]).toEqual([[], []])
})

test('[S22] the browser starts from a refusal without a mismatch, then loads its own', async () => {
  const server = await served()
  const { html, entries } = await renderAs(server, 'ben')
  const warn = vi.spyOn(console, 'warn')
  const element = document.createElement('div')
  element.innerHTML = html
  const app = createSSRApp(Page).use(createRealtime({ url: server.url, auth: { token: 'ben' }, entries: JSON.parse(entries) }))
  app.mount(element)
  onTestFinished(() => {
    app.unmount()
    warn.mockRestore()
  })
  expect(element.innerHTML).toBe(html)
  await server.realtime.state.set('open', 'changed')
  await eventually(() =>
    expect(linesOf(element.innerHTML)).toEqual(['changed none', 'nothing false FORBIDDEN', ' false FORBIDDEN', 'Ben’s false none']),
  )
  expect(warn.mock.calls).toEqual([])
})

test('[S22] a listing whose right ends during the read is not part of the page', async () => {
  const pages: EntryPage[] = [{ entries: [{ key: 'user:ann:list:1', version: 1, value: 'secret' }], after: 'user:ann:list:1' }]
  const list = async (prefix: string): Promise<EntryPage> => {
    const page = prefix === 'user:' ? { entries: [] } : pages.shift()
    if (page === undefined) throw new RealtimeError('FORBIDDEN')
    return page
  }
  const realtime = createRealtime({ read: async () => [], list })
  const html = await renderToString(createSSRApp(Page).use(realtime))
  expect(linesOf(html)[2]).toBe(' false FORBIDDEN')
  expect(realtime.dehydrate()).not.toContain('secret')
})

test.for(['RATE_LIMITED', 'OUTCOME_UNKNOWN'] as const)('[S22] %s shows loading, and the browser loads the data', async (code) => {
  const failure = new RealtimeError(code)
  const realtime = createRealtime({ read: async () => Promise.reject(failure), list: async () => Promise.reject(failure) })
  const errors: unknown[] = []
  const app = createSSRApp(Page).use(realtime)
  app.config.errorHandler = (error) => errors.push(error)
  expect(linesOf(await renderToString(app)).slice(1)).toEqual(['nothing true none', ' true none', ' true none'])
  expect(errors).toContain(failure)
  expect(realtime.dehydrate()).toBe('[]')
})

test('[S22] data read for one page is not part of another', async () => {
  const server = await served()
  const { read, list } = server.realtime.as({ id: 'ann' }).state
  const realtime = createRealtime({ read, list })
  await renderToString(createSSRApp(Page).use(realtime))
  expect(() => createSSRApp(Page).use(realtime)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})

test('[S22] a page whose list resolves with undefined shows loading', async () => {
  const pages: (EntryPage | undefined)[] = [
    { entries: [{ key: 'user:ann:list:1', version: 1, value: 'secret' }], after: 'user:ann:list:1' },
  ]
  const list = async (prefix: string) => (prefix === 'user:' ? undefined : pages.shift())
  const realtime = createRealtime({ read: async () => [], list })
  const html = await renderToString(createSSRApp(Page).use(realtime))
  expect(linesOf(html).slice(2)).toEqual([' true none', ' true none'])
  expect(realtime.dehydrate()).toBe('[]')
})
