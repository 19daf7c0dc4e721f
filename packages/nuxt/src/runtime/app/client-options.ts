import type { RealtimeClientOptions } from '@tutti/client'
import type { Entry } from '@tutti/protocol'

/** What is known of the server and of the page. */
export interface PageContext {
  /** Under which path the application is served. */
  baseURL: string
  /** The origin of a realtime server in another process. */
  url: string | undefined
  /** Of the page that the server rendered. */
  entries: readonly Entry[] | undefined
}

/** The options of the page's client. A realtime server in the application is below the path of the application. */
export const clientOptions = ({ baseURL, url, entries }: PageContext): RealtimeClientOptions =>
  url ? { url, entries } : { path: `${baseURL.replace(/\/$/, '')}/socket.io`, entries }
