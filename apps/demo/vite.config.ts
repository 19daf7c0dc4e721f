import vue from '@vitejs/plugin-vue'
import { nitro } from 'nitro/vite'
import { defaultClientConditions, defineConfig } from 'vite'

// Packages of this repository are taken from their sources, so nothing has to be built first.
const source = '@tutti/source'

export default defineConfig({
  plugins: [vue(), nitro({ serverDir: './server', features: { websocket: true }, exportConditions: [source] })],
  resolve: { conditions: [source, ...defaultClientConditions] },
  environments: {
    client: { build: { rolldownOptions: { input: './app/entry-client.ts' } } },
    ssr: { build: { rolldownOptions: { input: './app/entry-server.ts' } } },
  },
})
