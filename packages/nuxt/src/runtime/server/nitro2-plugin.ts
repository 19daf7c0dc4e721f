import { attachRealtime } from '@tutti/server/nitro2'
import { defineNitroPlugin, getRouteRules, useRuntimeConfig, useStorage } from 'nitropack/runtime'
import { startRealtime } from './start-realtime'

type PageEvent = Parameters<typeof getRouteRules>[0]

/** Puts the realtime server on the port of a Nuxt 4 application. */
export default defineNitroPlugin((nitroApp) => {
  // At build time pages are rendered without state.
  if (import.meta.prerender) return
  const readerFor = startRealtime({
    runtimeConfig: useRuntimeConfig(),
    isDev: import.meta.dev === true,
    attach: (options) => attachRealtime(nitroApp, () => options),
    mount: (state) => useStorage().mount('tutti', state),
  })
  if (readerFor === undefined) return
  const readerOf = (event: PageEvent) => readerFor({ rules: currentRules(event), path: event.path, request: event.node.req })
  nitroApp.hooks.hook('request', (event) => {
    event.context['tutti'] = { readerOf }
  })
})

/** The rules of the page. Those in the context of the event may be of the address of its payload, under which it was requested. */
function currentRules(event: PageEvent): ReturnType<typeof getRouteRules> {
  const context = {}
  const get = (target: PageEvent, name: string | symbol): unknown => (name === 'context' ? context : Reflect.get(target, name))
  return getRouteRules(new Proxy(event, { get }))
}
