import { defineConfig } from 'nitro/config'

export default defineConfig({
  serverDir: './server',
  features: { websocket: true },
  prerender: { routes: ['/about'] },
  exportConditions: ['@tutti/source'],
})
