import { attachRealtime, useRealtime } from '@tutti/server/nitro'
import { reactiveDriver } from '@tutti/storage-driver'
import { useRealtimeState } from '@tutti/vue'
import { useRealtimeCollection } from '@tutti/vue/collection'
import memoryDriver from 'unstorage/drivers/memory'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { ownListPrefix } from '../app/session.ts'
import { readingFor } from '../server/reading-for.ts'
import { authorize } from '../server/realtime-options.ts'
import { schema } from '../server/realtime-schema.ts'
import { endSession } from '../server/sessions.ts'
import { provenSession } from '../server/session-token.ts'
import { connectingUser } from '../server/connecting-user.ts'
import { inAnHour, tokenFor } from './visit.ts'

const SECRET = 'a secret of these tests that is long enough'

/** A page that requests the list and a single note of Alice, regardless of its user. */
const Page = {
  setup: () => {
    const { items, error } = useRealtimeCollection<{ text: string }>(ownListPrefix('alice'))
    const note = useRealtimeState<{ text: string } | undefined>(`${ownListPrefix('alice')}1`)
    const count = useRealtimeState('demo:count', 0)
    return { items, error, note, count, noteError: note.error }
  },
  template: '<p>{{ count }} {{ items.map(({ value }) => value.text).join() }} {{ note?.text }} {{ error?.code }} {{ noteError?.code }}</p>',
}

beforeAll(async () => {
  process.env['SESSION_SECRET'] = SECRET
  // The part of a Nitro application that the plugin uses.
  const nitroApp = { h3: { '~middleware': [] } } as unknown as Parameters<typeof attachRealtime>[0]
  attachRealtime(nitroApp, () => ({
    authenticate: connectingUser,
    authorize,
    schema,
    state: reactiveDriver(memoryDriver()),
    onWarning: () => {},
  }))
  await useRealtime().state.set('demo:count', 7)
  await useRealtime().state.set(`${ownListPrefix('alice')}1`, { text: 'secret', done: false })
})
afterAll(() => useRealtime().close())

async function render(token: string): Promise<string> {
  const realtime = await readingFor(new Request('http://127.0.0.1/', { headers: { cookie: `theme=dark; tutti-session=${token}` } }))
  return (await renderToString(createSSRApp(Page).use(realtime))) + realtime.dehydrate()
}

test('[S22] [X11] a page shows the list of the user with the request’s cookie', async () => {
  expect(await render(await tokenFor('alice', inAnHour(), SECRET))).toMatch(/^<p>7 secret secret {2}<\/p>/)
})

test.each([
  ['another user', () => tokenFor('bob', inAnHour(), SECRET)],
  ['a visitor without a token', () => ''],
  ['a forged token', () => tokenFor('alice', inAnHour(), 'x'.repeat(32))],
  ['a token that has expired', () => tokenFor('alice', Date.now() - 1_000, SECRET)],
  [
    'a session that has ended',
    async () => {
      const token = await tokenFor('alice', inAnHour(), SECRET)
      const session = await provenSession(token)
      if (session !== undefined) await endSession(session)
      return token
    },
  ],
])('[S22] [X11] a page for %s contains nothing of that list', async (_, token) => {
  const page = await render(await token())
  expect(page).toMatch(/^<p>7 {3}FORBIDDEN FORBIDDEN<\/p>/)
  expect(page).not.toContain('secret')
})
