import type { RealtimeClientOptions } from '@tutti/client'
import { inject, type InjectionKey } from 'vue'
import type { Session } from './session.ts'

/** The pages, by path. */
export const PAGES = { '/': 'home', '/documents': 'documents' } as const

/** Data of the server in the page: about itself, and about the signed-in user. */
export interface PageInfo {
  readonly page: (typeof PAGES)[keyof typeof PAGES]
  /** The instance that rendered the page. */
  readonly instance: string
  /** Addresses of all instances, if they are known. */
  readonly instances: readonly string[]
  /** It has a database for documents. */
  readonly hasDocuments: boolean
  /** The current sign-in. */
  readonly session?: Session
}

/** The JSON in the page from which the browser starts. */
export interface PageData extends PageInfo {
  readonly entries: NonNullable<RealtimeClientOptions['entries']>
}

/** The id of the element that contains `PageData`. */
export const PAGE_DATA_ID = 'page-data'

/** Provided by both entries. */
export const pageInfoKey: InjectionKey<PageInfo> = Symbol('page info')

/** The data of the server. */
export const usePageInfo = (): PageInfo => inject(pageInfoKey, { page: 'home', instance: '', instances: [], hasDocuments: true })
