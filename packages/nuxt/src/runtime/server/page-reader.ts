import { RealtimeError } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import type { AttachedRealtimeServer } from '@tutti/server/nitro2'
import type { ListEntries, ReadEntries } from '@tutti/vue'

type UserState = ReturnType<AttachedRealtimeServer['as']>['state']

/** An HTTP request of which a page is made. */
export type PageRequest = Parameters<AttachedRealtimeServer['authenticate']>[0]

/** What a page reads with; see `createRealtime` of `@tutti/vue`. */
export interface PageReader {
  readonly read: ReadEntries
  readonly list: ListEntries
}

/** Of the route rules of a page, those that let other users receive it. */
export interface SharingRules {
  readonly cache?: unknown
  readonly swr?: unknown
  readonly isr?: unknown
  readonly prerender?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Whether a page may be sent to other users than the one that requests it. */
export function isSharedPage({ cache, swr, isr, prerender, headers = {} }: SharingRules): boolean {
  const isStored = Object.entries(headers).some(([name, value]) => CACHE_HEADER.test(name) && STORED.test(value) && !PRIVATE.test(value))
  return isStored || [cache, swr, isr, prerender].some((rule) => rule !== undefined && rule !== false)
}

/** `Cache-Control`, `CDN-Cache-Control`, `Surrogate-Control` and those of single CDNs. */
const CACHE_HEADER = /(?:cache|surrogate)-control$/i
const STORED = /public|max-?age/i
const PRIVATE = /private|no-store/i

/**
 * Reads for a page with the rights of the user that requests it. `authenticate` runs once, at the first read: a page without shared
 * state costs nothing. After a failure that may pass the page shows its state as loading, and the browser requests it.
 */
export const createUserReader = (realtime: AttachedRealtimeServer, request: PageRequest): PageReader =>
  createReader(stateFor(realtime, request), isFinal)

/**
 * Reads for a page that several users receive, with the rights of a client without credentials. State that such a client may not
 * read is shown as loading, because the next user may have the right.
 */
export const createSharedReader = (realtime: AttachedRealtimeServer, path: string): PageReader =>
  createReader(stateFor(realtime, { headers: {}, url: path }), (error, names) => isFinal(error) && names > 1)

/** `isShown` decides whether an error concerns the page. The names of a read that fails are read again, one by one. */
function createReader(state: () => Promise<UserState | undefined>, isShown: (error: unknown, names: number) => boolean): PageReader {
  const orNothing = async <Result>(read: () => Promise<Result>, names: number): Promise<Result | undefined> => {
    try {
      return await read()
    } catch (error) {
      if (isShown(error, names)) throw error
      return undefined
    }
  }
  return {
    read: async (keys) => (await orNothing(async () => (await state())?.read(keys), keys.length)) ?? [],
    list: (prefix, after) => orNothing(async () => (await state())?.list(prefix, after), 1),
  }
}

/** The state with the rights of a request's user; undefined while the user cannot be determined. */
function stateFor(realtime: AttachedRealtimeServer, request: PageRequest): () => Promise<UserState | undefined> {
  const authenticate = async (): Promise<UserState | undefined> => {
    try {
      return realtime.as(await realtime.authenticate(request)).state
    } catch (error) {
      // A client without a user: what it may read is up to the server.
      return isFinal(error) ? realtime.as(null).state : undefined
    }
  }
  let state: Promise<UserState | undefined> | undefined
  return () => (state ??= authenticate())
}

/** Whether an error concerns the user and not the state of the server. */
const isFinal = (error: unknown): boolean => error instanceof RealtimeError && !mayRepeat(error) && error.code !== 'CLOSED'
