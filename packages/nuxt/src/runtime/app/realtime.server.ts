import type { Entry } from '@tutti/protocol'
import { createRealtime } from '@tutti/vue'
import { defineNuxtPlugin, useRequestEvent } from '#imports'
import { readNothing } from './read-nothing'

/** Renders a page with the rights of its user, and embeds the entries that it shows. */
export default defineNuxtPlugin({
  name: 'tutti',
  setup: (nuxtApp) => {
    const event = useRequestEvent()
    const realtime = createRealtime(event?.context.tutti?.readerOf(event) ?? readNothing)
    nuxtApp.vueApp.use(realtime)
    nuxtApp.hook('app:rendered', () => {
      nuxtApp.payload.tutti = JSON.parse(realtime.dehydrate()) as readonly Entry[]
    })
  },
})
