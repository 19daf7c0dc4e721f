import { defineNitroConfig } from 'nitropack/config'

export default defineNitroConfig({
  compatibilityDate: '2026-01-01',
  srcDir: 'server',
  experimental: { websocket: true },
  sourceMap: false,
  typescript: { generateTsConfig: false },
  exportConditions: ['@tutti/source'],
})
