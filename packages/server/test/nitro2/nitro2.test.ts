import { nitroSuite } from '../nitro-suite.ts'

const CLI = 'node_modules/nitropack/dist/cli/index.mjs'

nitroSuite('Nitro 2', {
  source: new URL('app', import.meta.url),
  build: [CLI, 'build'],
  // Without this its dev server ends whenever a client resets the connection of a WebSocket.
  dev: (port) => ['--unhandled-rejections=warn', CLI, 'dev', '--host', '127.0.0.1', '--port', String(port)],
  withoutSignals: { NITRO_SHUTDOWN_DISABLED: 'true' },
  losesResponsesInDev: true,
  reportsBusyPort: true,
})
