import { createKeyedMutex } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../coordination-options.ts'
import type { RedisLease } from './instance-lease.ts'
import type { RedisLayout } from './redis-layout.ts'
import type { CoordinationScript } from './room-store.ts'
import { textsOf } from './script-reply.ts'

/** Names what a lease holds, for those that sweep it. It may name too much and never too little. */
export interface LeaseHolds {
  /** Adds a name to the lease's list, unless it is there. Resolves with `['late']` if the lease has ended. */
  add(name: string, lease: string, expiry: number): Promise<readonly string[]>
  /** Removes a name from the current lease's list, unless `isUsed` at that moment. A failure leaves it there. */
  remove(name: string, isUsed: () => boolean): void
}

/** What the lists need. */
export interface LeaseHoldsOptions {
  link: RedisLink
  layout: RedisLayout
  lease: RedisLease
  script: CoordinationScript
  onError: CoordinationSettings['onError']
}

/** Makes the lists, one for each incarnation. Requests for one name are sent one after another. */
export function createLeaseHolds({ link, layout, lease, script, onError }: LeaseHoldsOptions): LeaseHolds {
  let current = ''
  let named = new Set<string>()
  const mutex = createKeyedMutex()

  const namesOf = (id: string): Set<string> => {
    if (current !== id) [current, named] = [id, new Set()]
    return named
  }
  const add = async (name: string, id: string, expiry: number): Promise<readonly string[]> => {
    if (lease.id !== id) return ['late']
    if (namesOf(id).has(name)) return ['ok']
    const reply = textsOf(await script.run([layout.holds(id)], [name, expiry]))
    if (reply[0] === 'ok' && lease.id === id) namesOf(id).add(name)
    return reply
  }
  const remove = async (name: string, isUsed: () => boolean): Promise<void> => {
    const names = namesOf(lease.id)
    if (isUsed() || !names.delete(name)) return
    await link.command('SREM', layout.holds(lease.id), name)
  }

  return {
    add: (name, id, expiry) =>
      // Each member of a room after the first: no request, and no turn is lost.
      lease.id === id && !mutex.has(name) && namesOf(id).has(name) ? Promise.resolve(['ok']) : mutex.run(name, () => add(name, id, expiry)),
    remove: (name, isUsed) => {
      mutex
        .run(name, () => remove(name, isUsed))
        .catch((error: unknown) => {
          if (lease.state !== 'closed') onError(error, { stage: 'members' })
        })
    },
  }
}
