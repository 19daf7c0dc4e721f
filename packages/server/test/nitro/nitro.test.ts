import { nitroSuite } from '../nitro-suite.ts'

nitroSuite('Nitro 3', {
  source: new URL('app', import.meta.url),
  build: ['node_modules/vite/bin/vite.js', 'build'],
  dev: (port) => ['node_modules/vite/bin/vite.js', 'dev', '--host', '127.0.0.1', '--port', String(port)],
})
