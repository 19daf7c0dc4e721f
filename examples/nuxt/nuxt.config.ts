export default defineNuxtConfig({
  modules: ['@tutti/nuxt'],
  compatibilityDate: '2026-01-01',
  devtools: { enabled: false },
  telemetry: false,
  routeRules: {
    // Pages that several users receive: they contain what a visitor without a sign-in may read.
    '/cached': { swr: 60 },
    '/public': { headers: { 'cache-control': 's-maxage=60' } },
    '/static': { prerender: true },
    '/client': { ssr: false },
  },
})
