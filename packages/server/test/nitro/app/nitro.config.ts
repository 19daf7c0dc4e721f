import { defineConfig } from 'nitro/config'

export default defineConfig({ serverDir: './server', features: { websocket: true }, exportConditions: ['@tutti/source'] })
