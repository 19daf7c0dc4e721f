import { createRealtime } from '@tutti/vue'
import { defineNuxtPlugin, useRuntimeConfig } from '#imports'
import { clientOptions } from './client-options'

/** Connects the page, which starts from the entries that the server rendered. */
export default defineNuxtPlugin({
  name: 'tutti',
  setup: async (nuxtApp) => {
    const { app, public: ofPages } = useRuntimeConfig()
    const options = clientOptions({ baseURL: app.baseURL, url: ofPages.tutti?.url, entries: nuxtApp.payload.tutti })
    await nuxtApp.callHook('tutti:options', options)
    nuxtApp.vueApp.use(createRealtime(options))
  },
})
