import { RealtimeError } from '@tutti/protocol'
import { createListeners } from '@tutti/protocol/internal'
import type { Handover } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'
import type { RedisLease } from './instance-lease.ts'
import type { LeaseHolds } from './lease-holds.ts'

/** Work as the lists of what a lease holds name it. */
export interface RedisHandover {
  readonly handover: Handover
  /** Lists the work of a lease that has ended for this instance, and notifies it. Resolves to false where no listener can continue it. */
  take(names: readonly string[]): Promise<boolean>
  close(): void
}

/** What it needs. */
export interface RedisHandoverOptions {
  lease: RedisLease
  holds: LeaseHolds
  onError: CoordinationSettings['onError']
}

/** Makes the handover of one instance: its work is listed with its lease, and swept as rooms and locks are. */
export function createRedisHandover({ lease, holds, onError }: RedisHandoverOptions): RedisHandover {
  const listeners = createListeners<[string]>((error) => onError(error, { stage: 'listener' }))
  const begin = async (name: string): Promise<void> => {
    const [verdict] = await lease.guard((own, expiry) => holds.add(`handover ${name}`, own, expiry))
    if (verdict !== 'ok') throw new RealtimeError('INTERNAL', { message: 'Redis sent an unexpected reply of a script.' })
  }
  return {
    handover: {
      begin,
      end: (name, isOpen) => holds.remove(`handover ${name}`, isOpen),
      onTaken: (listener) => listeners.add(listener),
    },
    take: async (names) => {
      if (names.length > 0 && listeners.size === 0) return false
      for (const name of names) {
        await begin(name)
        listeners.emit(name)
      }
      return true
    },
    close: () => listeners.clear(),
  }
}
