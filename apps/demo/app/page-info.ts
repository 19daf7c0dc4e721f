import type { RealtimeClientOptions } from '@tutti/client'
import { inject, type InjectionKey } from 'vue'
import type { Session } from './session.ts'

/** What the server says in the page about itself, and about who asked for it. */
export interface PageInfo {
  /** The instance that rendered the page. */
  readonly instance: string
  /** Addresses of all instances, if they are known. */
  readonly instances: readonly string[]
  /** Who is signed in. */
  readonly session?: Session
}

/** What stands in the page as JSON for the browser to start from. */
export interface PageData extends PageInfo {
  readonly entries: NonNullable<RealtimeClientOptions['entries']>
}

/** The id of the element that holds `PageData`. */
export const PAGE_DATA_ID = 'page-data'

/** Provided by both entries. */
export const pageInfoKey: InjectionKey<PageInfo> = Symbol('page info')

/** What the server said. */
export const usePageInfo = (): PageInfo => inject(pageInfoKey, { instance: '', instances: [] })
