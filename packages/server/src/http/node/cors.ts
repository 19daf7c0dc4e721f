import { RealtimeError } from '@tutti/protocol'
import type { ServerOptions } from 'socket.io'
import { normalOrigin, type OriginList } from '../../authentication/origin-list.ts'

/** Options of the `cors` package, as Socket.IO takes them. */
export type CorsOptions = Exclude<NonNullable<ServerOptions['cors']>, (...given: never[]) => unknown>

/**
 * CORS headers for the polling transport: pages of these origins may read answers, and no others. `given` adds other headers.
 * Throws `INVALID_OPTIONS` where it has origins of its own: there would be two lists, and a WebSocket knows only `origins`.
 */
export function corsFor({ all, listed }: OriginList, given: unknown = {}): CorsOptions {
  if (typeof given !== 'object' || given === null || ('origin' in given && given.origin !== undefined)) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'Invalid `socketIo.cors`: it must be an object without `origin`. Set allowed origins in `origins`.',
    })
  }
  const isListed = (origin: string | undefined): boolean => listed.has(normalOrigin(origin ?? '') ?? '')
  return { ...given, origin: all ? '*' : (origin, decide) => decide(null, isListed(origin)) }
}
