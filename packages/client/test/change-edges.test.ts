import { createRealtimeClient, type KeepChanges, type KeptChangesContext } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import type { PendingChange } from '../src/key-state.ts'
import { withEarlier } from '../src/kept-queue/kept-change.ts'
import { manualClock } from './manual-clock.ts'
import { ModelServer } from './model-server.ts'
import { codeOf, connectedClient, settled } from './setup-client.ts'

// Changes at the edges: without an entry, refused, offline, left by an earlier page; and who hears what goes wrong.

test('[S13] a change that needs no entry waits for none: it goes first, also where the key may not be read', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  const handle = client.state('box', { default: 0 })
  const first = handle.set(1)
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['storage:set', 'storage:subscribe'])
  const second = handle.increment()
  await server.flush()
  await Promise.all([first, second])
  expect(server.value('box')).toBe(2)
})

test('[S9] an update that the server refuses for good is over', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:set' ? new RealtimeError('FORBIDDEN') : undefined)
  const handle = client.state('count', { default: 1 })
  const refused = handle.update((value) => value + 1)
  await server.flush()
  expect(await codeOf(refused)).toBe('FORBIDDEN')
  expect(server.logged('storage:set')).toHaveLength(1)
})

test('[S9] an update that throws on what is shown is refused at once, also offline', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 1 })
  await server.flush()
  client.connection.disconnect()
  const mistake = new TypeError('no')
  void handle.update(() => {
    throw mistake
  })
  expect(handle.current).toMatchObject({ pending: false, error: mistake })
})

test('[S14] onlyIfUnchanged before the entry is known is a condition that nothing is there', async () => {
  const { client, server } = await connectedClient()
  server.write('there', 'theirs')
  const [there, absent] = ['there', 'absent'].map((key) => client.state<string>(key, { onlyIfUnchanged: true }))
  const changes = [there?.set('mine'), absent?.set('mine')].map((change) => codeOf(change ?? Promise.resolve()))
  await server.flush()
  expect(await Promise.all(changes)).toEqual(['CONFLICT', 'no error'])
  expect([server.value('there'), server.value('absent')]).toEqual(['theirs', 'mine'])
})

test('[S13] a value that comes anew and is equal stays the same object', async () => {
  const { client, server } = await connectedClient()
  server.write('key', { list: [1] })
  const handle = client.state('key')
  await server.flush()
  const { value } = handle.current
  server.write('key', { list: [1] })
  await server.flush()
  expect(handle.current.version).toBe(2)
  expect(handle.current.value).toBe(value)
})

test('[S13] [E1] what goes wrong in the background is told with where it happened, or dropped where nobody listens', async () => {
  const stages: string[] = []
  const listening = await connectedClient({ onError: (_, { stage }) => stages.push(stage) })
  const other = new ModelServer()
  const deaf = { client: createRealtimeClient({ transport: other.transport, clock: manualClock() }), server: other }
  await other.flush()
  const fail = (): never => {
    throw new Error('on purpose')
  }
  for (const { client, server } of [listening, deaf]) {
    client.events.subscribe('chat', fail)
    client.state('key').subscribe(fail)
    server.judge = ({ name }) => (name === 'event:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
    await server.flush()
    server.link.tell({ name: 'event:received', payload: { channel: 'chat', data: 1 } })
    await server.flush()
    expect(client.connection.current.status).toBe('connected')
  }
  expect(stages.toSorted()).toEqual(['listener', 'listener', 'subscribe'])
})

test('[S14] what an earlier page left goes before what was not sent here, after what was; only changes are kept', async () => {
  const contexts: KeptChangesContext[] = []
  const saved: string[] = []
  const keep: KeepChanges = (context) => {
    contexts.push(context)
    return { restore: () => Promise.resolve(), save: async (key) => void saved.push(key), close: () => {} }
  }
  const stages: string[] = []
  const { client, server } = await connectedClient({ keep, onError: (_, { stage }) => stages.push(stage) })
  const earlier: PendingChange = { change: { op: 'set', value: 'earlier' }, held: false, waiters: [] }
  const adopt = (key: string) => contexts[0]?.rewrite(key, (pending) => withEarlier(pending, [earlier]))
  const [both, sent, unsent] = ['both', 'sent', 'unsent'].map((key) => client.state<string>(key))
  await server.flush()
  void both?.set('first')
  void sent?.set('first')
  await settled()
  client.connection.disconnect()
  void both?.set('last')
  void unsent?.set('last')
  for (const key of ['both', 'sent', 'unsent', 'none']) adopt(key)
  client.connection.connect()
  await server.flush()
  const values = (name: string): unknown[] => server.logged('storage:set').flatMap(({ key, value }) => (key === name ? [value] : []))
  expect(['both', 'sent', 'unsent', 'none'].map(values)).toEqual([
    ['first', 'earlier', 'last'],
    ['first', 'earlier'],
    ['earlier', 'last'],
    ['earlier'],
  ])
  adopt('late')
  await server.flush()
  expect(values('late')).toEqual(['earlier'])
  saved.length = 0
  server.write('both', 'theirs')
  await server.flush()
  expect(saved).toEqual([])
  contexts[0]?.onError(new Error('no room'))
  expect(stages).toEqual(['keep'])
})
