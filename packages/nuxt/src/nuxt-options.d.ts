// The option that @nuxt/nitro-server, a part of Nuxt, adds.
export {}

declare module '@nuxt/schema' {
  interface NuxtOptions {
    nitro: { experimental?: { websocket?: boolean } }
  }
}
