export default defineNuxtConfig({
  modules: ['@tutti/nuxt'],
  compatibilityDate: '2026-01-01',
  devtools: { enabled: false },
  telemetry: false,
  routeRules: {
    '/cached': { swr: 60 },
    '/static': { prerender: true },
    '/client': { ssr: false },
  },
})
