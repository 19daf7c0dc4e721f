import { expect, test } from 'vitest'
import type { LockHolder, LockTarget, Locks } from '../../contract.ts'
import type { CoordinationUnderTest } from '../coordination-under-test.ts'
import { freshKey, lockClient } from './lock-client.ts'
import { queueContract } from './queue-contract.ts'

/** A view of locks with all that it has notified of, once it is ready. */
async function watched(locks: Locks, target: LockTarget) {
  const seen: [key: string, holder: LockHolder | undefined][] = []
  let check = (): void => {}
  const view = locks.watch(target, (key, holder) => {
    seen.push([key, holder])
    check()
  })
  await view.ready
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      check = () => void (seen.length >= count && resolve())
      check()
    })
  return { view, seen, until }
}

/** Locks: grants, ends, holders, tokens and guards. */
export function locksContract(use: () => CoordinationUnderTest): void {
  const places = (): { here: Locks; there: Locks; key: string } => {
    const { coordination, other } = use()
    return { here: coordination.locks, there: other.locks, key: freshKey() }
  }
  queueContract(places)

  test('[L1] a lock is refused to others, with its holder', async () => {
    const { here, there, key } = places()
    const [ann, bob] = [lockClient('ann'), lockClient('bob')]
    await ann.take(here, key, { info: { name: 'Ann' } })
    expect(await bob.acquire(there, key)).toEqual({ state: 'held', holder: { user: 'ann', info: { name: 'Ann' } } })
    expect(await bob.acquire(here, key)).toMatchObject({ state: 'held' })
  })

  test('[L1] of requests in flight at once on two instances, one is granted', async () => {
    const { here, there } = places()
    for (let round = 0; round < 50; round += 1) {
      const key = freshKey()
      const replies = await Promise.all([here, there].map((locks) => lockClient().acquire(locks, key)))
      expect(replies.filter(({ state }) => state === 'granted')).toHaveLength(1)
    }
  })

  test('[L2] each grant has a greater token, on any instance', async () => {
    const { here, there, key } = places()
    const tokens: number[] = []
    for (const locks of [here, there, here, there]) {
      const client = lockClient()
      const token = await client.take(locks, key)
      tokens.push(token)
      await locks.release(key, client.connectionId, token)
    }
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b))
  })

  test('[L3] a client that reconnects anywhere keeps its lock and token', async () => {
    const { here, there, key } = places()
    const client = lockClient()
    const token = await client.take(here, key)
    here.disconnect(client.connectionId)
    const again = client.reconnected()
    expect(await again.take(there, key)).toBe(token)
    await here.release(key, client.connectionId, token)
    expect(await lockClient().acquire(here, key)).toMatchObject({ state: 'held' })
    await there.release(key, again.connectionId, token)
    await lockClient().take(here, key)
    expect([...client.events, ...again.events]).toEqual([])
  })

  test('[L3] a half-open connection and its successor have one lock', async () => {
    const { here, there, key } = places()
    const client = lockClient()
    const token = await client.take(here, key)
    const again = client.reconnected()
    expect(await again.take(there, key)).toBe(token)
    here.disconnect(client.connectionId)
    await here.release(key, client.connectionId, token)
    expect(await lockClient().acquire(here, key)).toMatchObject({ state: 'held' })
  })

  test('[L3] a lock ends ttlMs after the disconnect, and watchers are notified', async () => {
    const { here, there, key } = places()
    const seen = await watched(there, { key })
    const client = lockClient()
    const token = await client.take(here, key, { ttlMs: 50 })
    await seen.until(1)
    here.disconnect(client.connectionId)
    await seen.until(2)
    expect(seen.seen).toEqual([
      [key, { user: 'ann' }],
      [key, undefined],
    ])
    expect(await lockClient().take(there, key)).toBeGreaterThan(token)
  })

  test('[L3] without a clientId a lock ends at the disconnect', async () => {
    const { here, there, key } = places()
    const seen = await watched(there, { key })
    const client = lockClient('', undefined)
    // Not the default of the client.
    await client.acquire(here, key, { clientId: undefined })
    here.disconnect(client.connectionId)
    await seen.until(2)
    expect(seen.seen.at(-1)).toEqual([key, undefined])
  })

  test('[L3] a forced release notifies the holder first, then watchers', async () => {
    const { here, there, key } = places()
    const order: string[] = []
    const client = lockClient()
    const near = await watched(here, { key })
    const token = await client.take(here, key, { onLost: (lost) => order.push(`lost ${lost === token}`) })
    await near.until(1)
    await here.watch({ key }, (_key, holder) => holder === undefined && order.push('watcher')).ready
    await there.end(key)
    await near.until(2)
    expect(order).toEqual(['lost true', 'watcher'])
    await there.end(key)
    await lockClient().take(there, key)
  })

  test('[L3] a view of a prefix has the locks below it and follows them', async () => {
    const { here, there, key } = places()
    const [ann, bob] = [lockClient('ann'), lockClient('bob')]
    const token = await ann.take(here, `${key}:name`)
    await ann.take(here, `${key}x:name`)
    const { view, seen, until } = await watched(there, { prefix: `${key}:` })
    expect([...view.holders]).toEqual([[`${key}:name`, { user: 'ann' }]])
    expect([...(await there.list(`${key}:`))]).toEqual([...view.holders])
    await bob.take(here, `${key}:city`, { info: 1 })
    await here.release(`${key}:name`, ann.connectionId, token)
    await until(2)
    // In any order: on a Cluster, messages about different keys come from different nodes.
    expect(new Map(seen)).toEqual(
      new Map([
        [`${key}:city`, { user: 'bob', info: 1 }],
        [`${key}:name`, undefined],
      ]),
    )
    expect([...(await there.list(`${key}:`))]).toEqual([[`${key}:city`, { user: 'bob', info: 1 }]])
    view.close()
    await bob.take(here, `${key}:zip`)
    expect(seen).toHaveLength(2)
  })

  test('[L2] the guard of a grant refuses once the grant has ended', async () => {
    const { here, key } = places()
    const client = lockClient()
    const token = await client.take(here, key)
    expect(here.guard({ key, token }, key).refusal()).toBeUndefined()
    expect(here.guard({ key, token: token - 1 }, key).refusal()).toBe('lost')
    await here.release(key, client.connectionId, token)
    expect(here.guard({ key, token }, key).refusal()).toBe('lost')
  })
}
