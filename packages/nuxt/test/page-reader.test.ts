import { createServer } from 'node:http'
import { RealtimeError } from '@tutti/protocol'
import { rules, type Authenticate } from '@tutti/server'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test } from 'vitest'
import { createSharedReader, createUserReader, isSharedPage } from '../src/runtime/server/page-reader'

const OPEN = { read: true, write: true }
const byCookie: Authenticate = ({ headers }) => ({ id: headers.cookie ?? 'guest' })

async function serve(authenticate: Authenticate | undefined = byCookie) {
  const calls: string[] = []
  const realtime = attachRealtime(createServer(), {
    state: reactiveDriver(memoryDriver()),
    authenticate: (credentials) => {
      calls.push(credentials.url)
      return authenticate(credentials)
    },
    authorize: rules({ state: { open: OPEN, 'todos:*': OPEN, 'notes:{id}': OPEN, 'lists:{id}:*': OPEN } }),
    onError: () => {},
    onWarning: () => {},
  })
  onTestFinished(() => realtime.close())
  for (const key of ['open', 'todos:1', 'notes:ann', 'notes:ben', 'lists:ann:1']) await realtime.state.set(key, `value of ${key}`)
  return { realtime, calls }
}

const valuesIn = (entries: readonly object[] | undefined): unknown[] => (entries ?? []).map((entry) => 'value' in entry && entry.value)

test('[X11] a page reads with the rights of its user, authenticated at most once', async () => {
  const { realtime, calls } = await serve()
  const reader = createUserReader(realtime, { headers: { cookie: 'ann' }, url: '/notes' })
  expect(calls).toEqual([])
  expect(valuesIn(await reader.read(['open', 'notes:ann']))).toEqual(['value of open', 'value of notes:ann'])
  expect(valuesIn((await reader.list('lists:ann:'))?.entries)).toEqual(['value of lists:ann:1'])
  await expect(reader.read(['notes:ben'])).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect(calls).toEqual(['/notes'])
})

test('[X11] a shared page reads without credentials, and refused state is loading', async () => {
  const { realtime } = await serve()
  const reader = createSharedReader(realtime, '/cached')
  expect(valuesIn(await reader.read(['open']))).toEqual(['value of open'])
  expect(valuesIn((await reader.list('todos:'))?.entries)).toEqual(['value of todos:1'])
  expect(await reader.read(['notes:ann'])).toEqual([])
  expect(await reader.list('lists:ann:')).toBeUndefined()
  // The page reads each key of such a read alone.
  await expect(reader.read(['open', 'notes:ann'])).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

test('[X11] a request that cannot sign in reads as a client without a user', async () => {
  const { realtime } = await serve(() => null)
  const reader = createUserReader(realtime, { headers: {}, url: '/' })
  await expect(reader.read(['open'])).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(reader.list('todos:')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(await createSharedReader(realtime, '/').read(['open'])).toEqual([])
})

test('[S22] while users or state are unavailable a page shows its state as loading', async () => {
  const { realtime } = await serve(() => {
    throw new RealtimeError('UNAVAILABLE')
  })
  const reader = createUserReader(realtime, { headers: { cookie: 'ann' }, url: '/' })
  expect(await reader.read(['open', 'notes:ann'])).toEqual([])
  expect(await reader.list('todos:')).toBeUndefined()
  const { realtime: closed } = await serve()
  await closed.close()
  expect(await createUserReader(closed, { headers: { cookie: 'ann' }, url: '/' }).read(['open'])).toEqual([])
})

test('[X11] pages that caches or files may serve to other users are shared', () => {
  expect([{ cache: { maxAge: 1 } }, { swr: true }, { swr: 60 }, { isr: 60 }, { isr: true }, { prerender: true }].every(isSharedPage)).toBe(
    true,
  )
  const withHeader = (name: string, value: string) => isSharedPage({ headers: { [name]: value } })
  expect([withHeader('Cache-Control', 's-maxage=60'), withHeader('cache-control', 'max-age=60')]).toEqual([true, true])
  expect([withHeader('CDN-Cache-Control', 'max-age=60'), withHeader('Surrogate-Control', 'max-age=60')]).toEqual([true, true])
  expect([withHeader('cache-control', 'private, max-age=60'), withHeader('cache-control', 'no-store')]).toEqual([false, false])
  expect([{}, { cache: false, swr: false }, { headers: { 'x-frame-options': 'deny' } }].some(isSharedPage)).toBe(false)
})
