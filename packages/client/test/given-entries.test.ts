import { expect, test } from 'vitest'
import { ModelServer } from './model-server.ts'
import { startClient } from './setup-client.ts'

test('[S22] what a server already told is shown from the first moment, and only what differs comes back', async () => {
  const server = new ModelServer()
  const same = server.write('same', 1)
  const other = server.write('other', 2)
  const { client } = startClient({ entries: [same, other, { key: 'gone', version: 0, removed: true }] }, server)
  server.write('other', 3)
  const [first, second, gone, unknown] = ['same', 'other', 'gone', 'unknown'].map((key) => client.state(key, { default: 0 }))
  expect(first?.current).toMatchObject({ value: 1, loading: false, version: same.version })
  expect(second?.current).toMatchObject({ value: 2, loading: false })
  expect(gone?.current).toMatchObject({ value: 0, loading: false, version: 0 })
  expect(unknown?.current).toMatchObject({ value: 0, loading: true, version: undefined })
  await server.flush()
  expect(server.logged('storage:subscribe')).toEqual([
    {
      keys: [
        { key: 'same', version: same.version },
        { key: 'other', version: other.version },
        { key: 'gone', version: 0 },
        { key: 'unknown' },
      ],
    },
  ])
  expect([first, second, gone, unknown].map((handle) => handle?.current.value)).toEqual([1, 3, 0, 0])
})

test('[S22] an entry that was given is used once: later the server knows better', async () => {
  const server = new ModelServer()
  const entry = server.write('count', 1)
  const { client } = startClient({ entries: [entry] }, server)
  await server.flush()
  client.state('count').dispose()
  await server.flush()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})
