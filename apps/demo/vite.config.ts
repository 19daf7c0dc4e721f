import { cpSync } from 'node:fs'
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { nitro } from 'nitro/vite'
import { defaultClientConditions, defineConfig } from 'vite'

// Packages of this repository are taken from their sources, so nothing has to be built first.
const source = '@tutti/source'

// `@tutti/documents` reads its migrations from a folder beside the one of its code: here beside `server/`, which has it in `index.mjs`.
const MIGRATIONS = join(import.meta.dirname, '../../packages/documents/migrations')

export default defineConfig({
  plugins: [
    vue(),
    nitro({
      serverDir: './server',
      features: { websocket: true },
      exportConditions: [source],
      // Reads its WebAssembly from files beside it.
      traceDeps: ['@electric-sql/pglite'],
      hooks: {
        compiled: ({ options }) => cpSync(MIGRATIONS, join(options.output.dir, 'migrations'), { recursive: true }),
      },
    }),
  ],
  resolve: { conditions: [source, ...defaultClientConditions] },
  environments: {
    client: { build: { rolldownOptions: { input: './app/entry-client.ts' } } },
    ssr: { build: { rolldownOptions: { input: './app/entry-server.ts' } } },
  },
})
