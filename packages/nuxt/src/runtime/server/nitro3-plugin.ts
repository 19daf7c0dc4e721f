import { attachRealtime } from '@tutti/server/nitro'
import { definePlugin } from 'nitro'
import { getRouteRules } from 'nitro/app'
import { useRuntimeConfig } from 'nitro/runtime-config'
import { useStorage } from 'nitro/storage'
import { definition, schema } from '#tutti/definition'
import { createSharedReader, createUserReader, isSharedPage, type PageReader } from './page-reader'
import { parseConfig } from './realtime-config'
import { realtimeOptions } from './realtime-options'

/** What is used of an event of h3 2. */
interface PageEvent {
  readonly req: Request
  readonly url: URL
}

/** Puts the realtime server on the port of a Nuxt 5 application. */
export default definePlugin((nitroApp) => {
  const config = parseConfig(useRuntimeConfig())
  // `NUXT_PUBLIC_TUTTI_URL` names a realtime server in another process.
  if (import.meta.prerender || config === undefined) return
  const options = realtimeOptions({ config, definition, schema, isDev: import.meta.dev === true })
  const realtime = attachRealtime(nitroApp, () => options)
  if (realtime === undefined) return
  useStorage().mount('tutti', options.state)
  const readerOf = ({ req, url: { pathname } }: PageEvent): PageReader =>
    isSharedPage(getRouteRules(req.method, pathname).routeRules) ? createSharedReader(realtime, pathname) : createUserReader(realtime, req)
  nitroApp.hooks?.hook('request', ({ req }) => {
    req.context = { ...req.context, tutti: { readerOf } }
  })
})
