// Measured as a bundler builds the packages for a page: as a module. Without a format esbuild adds its own `require`.
const asModule = (config) => ({ ...config, format: 'esm' })

export default [
  {
    name: '@tutti/client with its share of @tutti/protocol, beside socket.io-client',
    path: 'packages/client/dist/index.js',
    ignore: ['socket.io-client'],
    // The binding of locks (L2) and the middleware of events (E8) are part of it.
    limit: '9.75 kB',
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
    modifyEsbuildConfig: (config) => ({ ...asModule(config), external: ['@tutti/protocol', './chunk-*'] }),
  },
  {
    name: '@tutti/client/lock, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/lock.js',
    limit: '2.7 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...asModule(config), external: ['@tutti/protocol', './chunk-*'] }),
  },
  {
    name: '@tutti/client/durable, beside @tutti/protocol and the files that it shares with @tutti/client',
    path: 'packages/client/dist/durable.js',
    limit: '3.3 kB',
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...asModule(config), external: ['@tutti/protocol', './chunk-*'] }),
  },
  {
    name: '@tutti/client/offline-queue with idb',
    path: 'packages/client/dist/offline-queue.js',
    limit: '3.5 kB',
    gzip: true,
    modifyEsbuildConfig: asModule,
  },
  {
    name: '@tutti/vue with its share of @tutti/protocol, beside vue and @tutti/client',
    path: 'packages/vue/dist/index.js',
    ignore: ['vue', '@tutti/client'],
    limit: '5.25 kB',
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
