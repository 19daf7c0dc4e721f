import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

// Measured as a bundler builds the packages for a page: as a module. Without a format esbuild adds its own `require`.
const asModule = (config) => ({ ...config, format: 'esm' })

/** The files that an entry consists of, beside itself: chunks that it shares with other entries. */
function chunksOf(file) {
  if (!existsSync(file)) return []
  const own = [...readFileSync(file, 'utf8').matchAll(/from '(\.\/chunk-[\w-]+\.js)'|import '(\.\/chunk-[\w-]+\.js)'/g)].map(
    ([, a, b]) => a ?? b,
  )
  return [...new Set(own.flatMap((name) => [name, ...chunksOf(join(dirname(file), name))]))]
}

/** What a page pays for an entry that has the entry `index` already. */
const besideIndex = (folder) => (config) => ({
  ...asModule(config),
  external: ['@tutti/protocol', '@tutti/protocol/internal', ...chunksOf(`${folder}/index.js`)],
})

export default [
  {
    name: '@tutti/client with its share of @tutti/protocol, beside socket.io-client',
    path: 'packages/client/dist/index.js',
    ignore: ['socket.io-client'],
    // The binding of locks (L2) and the middleware of events (E8) are part of it.
    limit: '10 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
  {
    name: '@tutti/client/collection, beside the files it shares with @tutti/client',
    path: 'packages/client/dist/collection.js',
    ignore: ['socket.io-client'],
    limit: '4.2 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
  {
    name: '@tutti/client/presence, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/presence.js',
    limit: '3 kB',
    gzip: true,
    modifyEsbuildConfig: besideIndex('packages/client/dist'),
  },
  {
    name: '@tutti/client/lock, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/lock.js',
    limit: '2.8 kB',
    gzip: true,
    modifyEsbuildConfig: besideIndex('packages/client/dist'),
  },
  {
    name: '@tutti/client/durable, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/durable.js',
    limit: '3.3 kB',
    gzip: true,
    modifyEsbuildConfig: besideIndex('packages/client/dist'),
  },
  {
    name: '@tutti/client/messages, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/messages.js',
    limit: '0.7 kB',
    gzip: true,
    modifyEsbuildConfig: besideIndex('packages/client/dist'),
  },
  {
    name: '@tutti/client/room with presence, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/room.js',
    limit: '3.8 kB',
    gzip: true,
    modifyEsbuildConfig: besideIndex('packages/client/dist'),
  },
  {
    name: '@tutti/client/offline-queue with idb',
    path: 'packages/client/dist/offline-queue.js',
    limit: '3.6 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
  {
    name: '@tutti/vue with its share of @tutti/protocol, beside vue and @tutti/client',
    path: 'packages/vue/dist/index.js',
    ignore: ['vue', '@tutti/client'],
    limit: '5.3 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
  {
    name: '@tutti/vue/collection, beside the files it shares with @tutti/vue',
    path: 'packages/vue/dist/collection.js',
    ignore: ['vue', '@tutti/client'],
    limit: '4 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
]
