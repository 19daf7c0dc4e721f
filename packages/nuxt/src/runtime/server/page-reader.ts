import { RealtimeError } from '@tutti/protocol'
import type { AttachedRealtimeServer } from '@tutti/server/nitro2'
import type { ListEntries, ReadEntries } from '@tutti/vue'

/** An HTTP request of which a page is made. */
export type PageRequest = Parameters<AttachedRealtimeServer['authenticate']>[0]

/** What a page reads with; see `createRealtime` of `@tutti/vue`. */
export interface PageReader {
  readonly read: ReadEntries
  readonly list?: ListEntries
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
  const isPublic = Object.entries(headers).some(
    ([name, value]) => /^cdn-cache|^cache-control$/i.test(name) && /public|s-maxage/i.test(value),
  )
  return isPublic || [cache, swr, isr, prerender].some((rule) => rule !== undefined && rule !== false)
}

/**
 * Reads for a page with the rights of the user that requests it. `authenticate` runs once, at the first read: a page without
 * shared state costs nothing.
 */
export function createUserReader(realtime: AttachedRealtimeServer, request: PageRequest): PageReader {
  const reader = once(async () => {
    const user = await realtime.authenticate(request).catch(userWithout)
    return user === undefined ? undefined : realtime.as(user).state
  })
  return {
    read: async (keys) => (await (await reader())?.read(keys)) ?? [],
    list: async (prefix, after) => {
      const state = await reader()
      if (state === undefined) throw new RealtimeError('UNAVAILABLE')
      return state.list(prefix, after)
    },
  }
}

/**
 * Reads for a page that several users receive, with the rights of a client without credentials. What such a client may not read is
 * shown as loading, because the next user may have the right.
 */
export function createSharedReader(realtime: AttachedRealtimeServer, path: string): PageReader {
  const reader = createUserReader(realtime, { headers: {}, url: path })
  return {
    read: async (keys) => {
      try {
        return await reader.read(keys)
      } catch (error) {
        if (keys.length > 1 || !(error instanceof RealtimeError) || error.retryable) throw error
        return []
      }
    },
  }
}

/** Null, a client without a user, where the sign-in was refused; undefined where that could not be decided. */
const userWithout = (error: unknown): null | undefined => (error instanceof RealtimeError && !error.retryable ? null : undefined)

const once = <T>(run: () => Promise<T>): (() => Promise<T>) => {
  let result: Promise<T> | undefined
  return () => (result ??= run())
}
