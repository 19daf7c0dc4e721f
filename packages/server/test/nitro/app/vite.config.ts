import { nitro } from 'nitro/vite'
import { defineConfig } from 'vite'

export default defineConfig({ plugins: [nitro()], server: { fs: { strict: false } }, resolve: { conditions: ['@tutti/source'] } })
