import { RealtimeError } from '@tutti/protocol'
import cors from 'cors'
import type { ServerOptions } from 'socket.io'
import { normalOrigin, type OriginList } from '../../authentication/origin-list.ts'

/** Options of the `cors` package, as Socket.IO takes them. */
export type CorsOptions = Exclude<NonNullable<ServerOptions['cors']>, (...given: never[]) => unknown>

/**
 * Makes the middleware that sets CORS headers for the polling transport: pages of these origins may read answers, and no others.
 * `given` adds other headers. Throws `INVALID_OPTIONS` where it has origins of its own: there would be two lists, and a WebSocket
 * knows only `origins`.
 */
export function createCors({ all, listed }: OriginList, given: unknown = {}): ReturnType<typeof cors> {
  if (typeof given !== 'object' || given === null || ('origin' in given && given.origin !== undefined)) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'Invalid `socketIo.cors`: it must be an object without `origin`. Set allowed origins in `origins`.',
    })
  }
  const isListed = (origin: string | undefined): boolean => listed.has(normalOrigin(origin ?? '') ?? '')
  return cors({ ...given, origin: all ? '*' : (origin, decide) => decide(null, isListed(origin)) })
}
