import type { AttachedRealtimeServer } from '@tutti/server/nitro2'
import { definition, schema } from '#tutti/definition'
import { createSharedReader, createUserReader, isSharedPage, type PageReader, type PageRequest, type SharingRules } from './page-reader'
import { parseConfig } from './realtime-config'
import { realtimeOptions, type RealtimeServerOptions } from './realtime-options'

/** The parts of Nitro that differ between its versions. */
export interface NitroHost {
  /** What Nitro's `useRuntimeConfig` returns. */
  readonly runtimeConfig: unknown
  readonly isDev: boolean
  readonly attach: (options: RealtimeServerOptions) => AttachedRealtimeServer | undefined
  /** Makes the state the storage `tutti`. */
  readonly mount: (state: RealtimeServerOptions['state']) => void
}

/** A page that is about to be rendered. */
export interface RequestedPage {
  readonly rules: SharingRules
  readonly path: string
  readonly request: PageRequest
}

/**
 * Starts the realtime server of the application, and returns a function that makes the reader of a page. Returns undefined if the
 * application has no realtime server.
 */
export function startRealtime({ runtimeConfig, isDev, attach, mount }: NitroHost): ((page: RequestedPage) => PageReader) | undefined {
  const config = parseConfig(runtimeConfig)
  // `NUXT_PUBLIC_TUTTI_URL` names a realtime server in another process.
  if (config === undefined) return undefined
  const options = realtimeOptions({ config, definition, schema, isDev })
  const realtime = attach(options)
  if (realtime === undefined) return undefined
  mount(options.state)
  return ({ rules, path, request }) => (isSharedPage(rules) ? createSharedReader(realtime, path) : createUserReader(realtime, request))
}
