import type { Coordination } from '@tutti/coordination/contract'
import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { byteLength } from '@tutti/protocol/internal'
import { lockAcquireSchema, lockCancelSchema, lockReleaseSchema, lockSubscriptionSchema } from '@tutti/protocol/internal/schemas'
import { checkValue } from '../check-value.ts'
import { defineHandler, type Handler } from '../connection/handler.ts'
import type { Core } from '../feature.ts'
import { acquireAccess, forceAccess, readLockAccess } from './lock-access.ts'
import type { LockSettings } from './lock-options.ts'
import type { LockRequests } from './lock-requests.ts'
import type { LockWatchers } from './lock-watchers.ts'

/** The handlers of `lock:*`. */
export function createLockHandlers(
  { schema }: Pick<Core, 'schema'>,
  { locks }: Pick<Coordination, 'locks'>,
  requests: LockRequests,
  watchers: LockWatchers,
  settings: LockSettings,
): Handler[] {
  const checkInfo = (key: string, info: JsonValue): void => {
    const size = byteLength(JSON.stringify(info))
    if (size > settings.maxInfoBytes) {
      throw new RealtimeError('TOO_LARGE', {
        message: `The info of the lock of ${key} has ${size} bytes. The limit is ${settings.maxInfoBytes} (locks.maxInfoBytes).`,
      })
    }
    checkValue(schema, 'locks', key, info)
  }
  return [
    defineHandler(
      'lock:acquire',
      lockAcquireSchema,
      ({ key }) => [acquireAccess(key)],
      ({ key, request, ttlMs = settings.ttlMs, waitMs, info }, connection) => {
        checkInfo(key, info ?? null)
        return requests.acquire(connection, { key, request, ttlMs: Math.min(ttlMs, settings.maxTtlMs), waitMs, info })
      },
    ),
    defineHandler(
      'lock:cancel',
      lockCancelSchema,
      () => [],
      ({ key, request }, connection) => requests.cancel(connection, key, request),
    ),
    defineHandler(
      'lock:release',
      lockReleaseSchema,
      (message) => ('force' in message ? [forceAccess(message.key)] : []),
      async (message, connection) => {
        if (!('force' in message)) return requests.release(connection, message.key, message.token)
        await locks.end(message.key)
        return {}
      },
    ),
    defineHandler(
      'lock:subscribe',
      lockSubscriptionSchema,
      (target) => [readLockAccess(target)],
      (target, connection, [verdict]) => {
        // Locks below a prefix are not filtered one by one.
        if (verdict !== undefined && 'allow' in verdict && verdict.allow === 'each') {
          throw new RealtimeError('FORBIDDEN', {
            message: 'Not allowed: lock:read on all keys below the prefix. Subscribe to their locks by key.',
          })
        }
        return watchers.subscribe(connection, target)
      },
    ),
    defineHandler(
      'lock:unsubscribe',
      lockSubscriptionSchema,
      () => [],
      (target, connection) => {
        watchers.unsubscribe(connection, target)
        return {}
      },
    ),
  ]
}
