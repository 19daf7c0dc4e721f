import { attachRealtime } from '@tutti/server/nitro'
import { definePlugin } from 'nitro'
import { getRouteRules } from 'nitro/app'
import { useRuntimeConfig } from 'nitro/runtime-config'
import { useStorage } from 'nitro/storage'
import { startRealtime } from './start-realtime'

/** What is used of an event of h3 2. */
interface PageEvent {
  readonly req: Request
  readonly url: URL
}

/** Puts the realtime server on the port of a Nuxt 5 application. */
export default definePlugin((nitroApp) => {
  // At build time pages are rendered without state.
  if (import.meta.prerender) return
  const readerFor = startRealtime({
    runtimeConfig: useRuntimeConfig(),
    isDev: import.meta.dev === true,
    attach: (options) => attachRealtime(nitroApp, () => options),
    mount: (state) => useStorage().mount('tutti', state),
  })
  if (readerFor === undefined) return
  const readerOf = ({ req, url: { pathname } }: PageEvent) =>
    readerFor({ rules: getRouteRules(req.method, pathname).routeRules ?? {}, path: pathname, request: req })
  nitroApp.hooks?.hook('request', ({ req }) => {
    req.context = { ...req.context, tutti: { readerOf } }
  })
})
