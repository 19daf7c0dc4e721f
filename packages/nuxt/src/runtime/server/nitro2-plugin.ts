import { attachRealtime } from '@tutti/server/nitro2'
import { defineNitroPlugin, getRouteRules, useRuntimeConfig, useStorage } from 'nitropack/runtime'
import { definition, schema } from '#tutti/definition'
import { createSharedReader, createUserReader, isSharedPage, type PageReader } from './page-reader'
import { parseConfig } from './realtime-config'
import { realtimeOptions } from './realtime-options'

type PageEvent = Parameters<typeof getRouteRules>[0]

/** Puts the realtime server on the port of a Nuxt 4 application. */
export default defineNitroPlugin((nitroApp) => {
  // At build time pages are rendered without state.
  if (import.meta.prerender) return
  const config = parseConfig(useRuntimeConfig())
  // `NUXT_PUBLIC_TUTTI_URL` names a realtime server in another process.
  if (config === undefined) return
  const options = realtimeOptions({ config, definition, schema, isDev: import.meta.dev === true })
  const realtime = attachRealtime(nitroApp, () => options)
  useStorage().mount('tutti', options.state)
  const readerOf = (event: PageEvent): PageReader =>
    isSharedPage(currentRules(event)) ? createSharedReader(realtime, event.path) : createUserReader(realtime, event.node.req)
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
