// What the plugins use of a Nuxt application. Its own types are made when the application is built.

declare module '#imports' {
  import type { Entry } from '@tutti/protocol'
  import type { RealtimeClientOptions } from '@tutti/client'
  import type { PageOptions } from '@tutti/vue'
  import type { App } from 'vue'

  interface NuxtApp {
    readonly vueApp: App
    readonly payload: { tutti?: readonly Entry[] }
    hook(name: 'app:rendered', run: () => void): void
    callHook(name: 'tutti:options', options: RealtimeClientOptions): Promise<void>
  }

  interface RequestEvent {
    readonly context: { readonly tutti?: { readerOf(event: RequestEvent): PageOptions } }
  }

  export function defineNuxtPlugin(plugin: { name: string; setup(nuxtApp: NuxtApp): void | Promise<void> }): object
  export function useRequestEvent(): RequestEvent | undefined
  export function useRuntimeConfig(): {
    readonly app: { readonly baseURL: string }
    readonly public: { readonly tutti?: { readonly url?: string } }
  }
}

declare module '#tutti/definition' {
  import type { RealtimeSchema } from '@tutti/protocol'

  export const definition: object
  export const schema: RealtimeSchema | undefined
}
