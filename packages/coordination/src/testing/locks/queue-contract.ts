import { expect, test } from 'vitest'
import type { Locks } from '../../contract.ts'
import { lockClient } from './lock-client.ts'

/** Requests that wait. */
export function queueContract(places: () => { here: Locks; there: Locks; key: string }): void {
  test('[L4] waiting requests are granted in order across instances', async () => {
    const { here, there, key } = places()
    const first = lockClient()
    let token = await first.take(here, key)
    const queue = [there, here, there, there].map((locks) => ({ locks, client: lockClient() }))
    for (const { locks, client } of queue) expect(await client.acquire(locks, key, { waits: true })).toEqual({ state: 'waiting' })
    await here.release(key, first.connectionId, token)
    for (const { locks, client } of queue) {
      await client.until(() => client.events.length === 1)
      const granted = client.events[0]?.token ?? 0
      expect(granted).toBeGreaterThan(token)
      token = granted
      await locks.release(key, client.connectionId, token)
    }
    expect(queue.map(({ client }) => client.events.map(({ kind }) => kind))).toEqual(queue.map(() => ['granted']))
  })

  test('[L4] a cancelled request is not granted, and ends a grant that it has met', async () => {
    const { here, there, key } = places()
    const [holder, waiting, last] = [lockClient(), lockClient(), lockClient()]
    const token = await holder.take(here, key)
    await waiting.acquire(there, key, { waits: true, request: 'r1' })
    await there.cancel(key, waiting.connectionId, 'r1')
    await waiting.acquire(there, key, { waits: true, request: 'r2' })
    await Promise.all([here.release(key, holder.connectionId, token), there.cancel(key, waiting.connectionId, 'r2')])
    if ((await last.acquire(here, key, { waits: true })).state === 'waiting') await last.until(() => last.events.length === 1)
    expect(waiting.events.filter(({ request }) => request === 'r1')).toEqual([])
  })

  test('[L4] a late release of an ended grant does not end a later request', async () => {
    const { here, there, key } = places()
    const [holder, client] = [lockClient(), lockClient()]
    const ended = await client.take(there, key)
    await there.release(key, client.connectionId, ended)
    const token = await holder.take(here, key)
    expect(await client.acquire(there, key, { waits: true, request: 'r2' })).toEqual({ state: 'waiting' })
    await there.release(key, client.connectionId, ended)
    await here.release(key, holder.connectionId, token)
    await client.until(() => client.events.length === 1)
    expect(client.events).toMatchObject([{ kind: 'granted', request: 'r2' }])
  })

  test('[L4] the requests of a connection that closes are not granted', async () => {
    const { here, there, key } = places()
    const [holder, gone, next] = [lockClient(), lockClient(), lockClient()]
    const token = await holder.take(here, key)
    await gone.acquire(there, key, { waits: true })
    await next.acquire(here, key, { waits: true })
    there.disconnect(gone.connectionId)
    await here.release(key, holder.connectionId, token)
    await next.until(() => next.events.length === 1)
    expect(gone.events).toEqual([])
  })

  test('[L4] a client keeps its place with the same request, or on the same connection', async () => {
    const { here, there, key } = places()
    const [holder, client, next] = [lockClient(), lockClient(), lockClient()]
    const token = await holder.take(here, key)
    await client.acquire(here, key, { waits: true, request: 'r1' })
    await next.acquire(here, key, { waits: true })
    await client.acquire(here, key, { waits: true, request: 'r2' })
    const again = client.reconnected()
    await again.acquire(there, key, { waits: true, request: 'r2' })
    await here.release(key, holder.connectionId, token)
    await again.until(() => again.events.length === 1)
    expect(client.events).toEqual([])
    await there.release(key, again.connectionId, again.events[0]?.token ?? 0)
    await next.until(() => next.events.length === 1)
  })

  test('[L4] another request on another connection waits at the end of the queue', async () => {
    const { here, there, key } = places()
    const [holder, client, next, last] = [lockClient(), lockClient(), lockClient(), lockClient()]
    const token = await holder.take(here, key)
    await client.acquire(here, key, { waits: true, request: 'r1' })
    await next.acquire(here, key, { waits: true })
    const again = client.reconnected()
    await again.acquire(there, key, { waits: true, request: 'r2' })
    await last.acquire(here, key, { waits: true })
    await here.release(key, holder.connectionId, token)
    await next.until(() => next.events.length === 1)
    await here.release(key, next.connectionId, next.events[0]?.token ?? 0)
    await again.until(() => again.events.length === 1)
    await there.release(key, again.connectionId, again.events[0]?.token ?? 0)
    await last.until(() => last.events.length === 1)
    expect(client.events).toEqual([])
  })

  test('[L4] another request on another connection ends the grant of the first', async () => {
    const { here, there, key } = places()
    const [client, next] = [lockClient(), lockClient()]
    const token = await client.take(here, key, { request: 'r1' })
    await next.acquire(here, key, { waits: true })
    const again = client.reconnected()
    expect(await again.acquire(there, key, { waits: true, request: 'r2' })).toEqual({ state: 'waiting' })
    await next.until(() => next.events.length === 1)
    expect(next.events[0]?.token).toBeGreaterThan(token)
    await here.release(key, next.connectionId, next.events[0]?.token ?? 0)
    await again.until(() => again.events.length === 1)
    await client.until(() => client.events.length === 1)
    expect(client.events).toMatchObject([{ kind: 'lost', token }])
  })

  test('[L4] a client whose connection was closed waits at the end of the queue', async () => {
    const { here, there, key } = places()
    const [holder, client, next] = [lockClient(), lockClient(), lockClient()]
    const token = await holder.take(here, key)
    await client.acquire(there, key, { waits: true })
    await next.acquire(here, key, { waits: true })
    there.disconnect(client.connectionId)
    const again = client.reconnected()
    await again.acquire(there, key, { waits: true })
    await here.release(key, holder.connectionId, token)
    await next.until(() => next.events.length === 1)
    await here.release(key, next.connectionId, next.events[0]?.token ?? 0)
    await again.until(() => again.events.length === 1)
    expect(client.events).toEqual([])
  })

  test('[L4] after a grant met its time limit, the lock can be acquired', async () => {
    const { here, there } = places()
    for (let round = 0; round < 50; round += 1) {
      const { key } = places()
      const [holder, waiting, last] = [lockClient(), lockClient(), lockClient()]
      const token = await holder.take(here, key)
      await waiting.acquire(there, key, { waits: true, request: 'r' })
      const ends = [
        (): Promise<void> => here.release(key, holder.connectionId, token),
        (): Promise<void> => there.cancel(key, waiting.connectionId, 'r'),
      ]
      if (round % 2 === 1) ends.reverse()
      await Promise.all(ends.map((end) => end()))
      if ((await last.acquire(here, key, { waits: true })).state === 'waiting') await last.until(() => last.events.length === 1)
      expect(last.events.filter(({ kind }) => kind === 'lost')).toEqual([])
    }
  })
}
