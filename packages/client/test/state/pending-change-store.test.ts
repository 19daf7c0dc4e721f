import type { OfflineQueue, OfflineQueueContext } from '@tutti/client'
import { expect, test } from 'vitest'
import { withEarlier } from '../../src/offline-queue/stored-change.ts'
import type { PendingChange } from '../../src/state/key-state.ts'
import { connectedClient, settled } from '../setup-client.ts'

test('[S14] changes of an earlier page go after sent ones and before unsent ones', async () => {
  const contexts: OfflineQueueContext[] = []
  const saved: string[] = []
  const offlineQueue: OfflineQueue = (context) => {
    contexts.push(context)
    return { restore: () => Promise.resolve(), save: async (key) => void saved.push(key), close: () => {} }
  }
  const stages: string[] = []
  const { client, server } = await connectedClient({ offlineQueue, onError: (_, { stage }) => stages.push(stage) })
  const earlier: PendingChange = { change: { op: 'set', value: 'earlier' }, deferred: false, waiters: [] }
  const adopt = (key: string) => contexts[0]?.adopt(key, (pending) => withEarlier(pending, [earlier]))
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
  expect(stages).toEqual(['offlineQueue'])
})
