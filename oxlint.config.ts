import { defineConfig, type OxlintOverride } from 'oxlint'

/** What the files of a layer import: packages, and packages of which they import types only. A later row replaces an earlier one. */
interface Layer {
  imports?: string[]
  types?: string[]
  /** Whether the files import files of their own package. Default: true. */
  own?: boolean
}

/** An entry of `no-restricted-imports`. */
interface Pattern {
  group?: string[]
  regex?: string
  allowTypeImports?: boolean
  message: string
}

const NODE = ['node:*', 'node:*/**']
const PROTOCOL = ['@tutti/protocol', '@tutti/protocol/internal']
const PUBSUB = [...PROTOCOL, ...NODE]
const STORAGE = [...PROTOCOL, ...NODE, 'unstorage', 'unstorage/**']
const SERVER = [...PROTOCOL, '@tutti/protocol/internal/schemas', ...NODE, 'socket.io']
const SERVER_TYPES = [
  '@tutti/pubsub',
  '@tutti/storage-driver',
  '@tutti/storage-driver/contract',
  '@tutti/coordination',
  '@tutti/coordination/contract',
  '@tutti/coordination/logs',
]
const NUXT_SERVER = [
  ...['@tutti/pubsub', '@tutti/server', '@tutti/server/**', '@tutti/storage-driver', '#tutti/definition'],
  ...['nitropack', 'nitropack/**', 'nitro', 'nitro/**', 'consola'],
]
const VUE = [...PROTOCOL, '@tutti/client', '@tutti/client/**', 'vue']

const LAYERS: Record<string, Layer> = {
  'packages/protocol/src/**': {},
  'packages/protocol/src/messages.ts': { types: ['valibot'] },
  'packages/protocol/src/define-schema.ts': { types: ['@standard-schema/spec'] },
  'packages/protocol/src/schemas/**': { imports: ['valibot'] },
  'packages/pubsub/src/**': { imports: PUBSUB },
  'packages/pubsub/src/redis/**': { imports: [...PUBSUB, 'ioredis'] },
  'packages/pubsub/src/testing/**': { imports: [...PUBSUB, 'vitest'] },
  'packages/storage-driver/src/**': { imports: STORAGE, types: ['@tutti/pubsub', '@tutti/pubsub/redis'] },
  'packages/storage-driver/src/testing/**': { imports: [...STORAGE, 'vitest'] },
  'packages/coordination/src/**': { imports: PUBSUB, types: ['@tutti/pubsub', '@tutti/pubsub/redis'] },
  'packages/coordination/src/testing/**': { imports: [...PUBSUB, 'vitest'] },
  'packages/server/src/**': { imports: SERVER, types: SERVER_TYPES },
  'packages/server/src/http/node/default-logs.ts': { imports: [...SERVER, '@tutti/coordination/logs'], types: SERVER_TYPES },
  'packages/server/src/rooms/room-sender.ts': { imports: [...SERVER, '@tutti/coordination'], types: SERVER_TYPES },
  'packages/server/src/durable/server-workers.ts': { imports: [...SERVER, '@tutti/coordination/logs'], types: SERVER_TYPES },
  'packages/server/src/http/node/default-coordination.ts': { imports: [...SERVER, '@tutti/coordination'], types: SERVER_TYPES },
  'packages/server/src/redis-adapter/**': {
    imports: [...SERVER, '@socket.io/redis-adapter'],
    types: [...SERVER_TYPES, '@tutti/pubsub/redis'],
  },
  'packages/server/src/authentication/ip-address.ts': { imports: [...NODE, 'ipaddr.js'], own: false },
  'packages/server/src/http/node/cors.ts': { imports: [...SERVER, 'cors'], types: SERVER_TYPES },
  'packages/server/src/http/nitro/**': { imports: [...SERVER, 'nitro', 'nitro/**', 'crossws', 'crossws/**'], types: SERVER_TYPES },
  'packages/server/src/http/nitro2/**': {
    imports: [...SERVER, 'nitropack', 'nitropack/**', 'h3', 'crossws', 'crossws/**'],
    types: SERVER_TYPES,
  },
  'packages/client/src/**': { imports: PROTOCOL },
  'packages/client/src/connection/socket-transport.ts': { imports: [...PROTOCOL, 'socket.io-client'] },
  'packages/client/src/offline-queue/change-database.ts': { imports: [...PROTOCOL, 'idb'] },
  'packages/documents/src/**': {
    imports: ['@tutti/protocol', '@tutti/protocol/internal', ...NODE, 'yjs'],
    types: ['@tutti/coordination/contract', '@tutti/coordination/logs', '@tutti/server/internal'],
  },
  'packages/documents/src/store/**': {
    imports: ['@tutti/protocol', '@tutti/protocol/internal', ...NODE, 'drizzle-orm', 'drizzle-orm/**', 'pg', '@electric-sql/pglite'],
  },
  'packages/documents/src/server/**': {
    imports: [
      ...['@tutti/protocol', '@tutti/protocol/internal', '@tutti/protocol/internal/schemas', ...NODE],
      ...['@tutti/coordination/contract', '@tutti/coordination/logs', '@tutti/server/internal'],
    ],
    types: ['@tutti/pubsub'],
  },
  'packages/documents/src/client/**': {
    imports: ['@tutti/protocol', '@tutti/protocol/internal', '@tutti/client/internal', 'yjs', 'lib0/**', 'y-protocols/**'],
    types: ['@tutti/client'],
  },
  'packages/documents/src/offline/**': { imports: PROTOCOL, types: ['@tutti/client'] },
  'packages/documents/src/offline/document-database.ts': { imports: [...PROTOCOL, 'idb'] },
  'packages/vue/src/**': { imports: VUE },
  'packages/vue/src/pinia/**': { imports: [...VUE, 'pinia'] },
  'packages/vue/src/documents/**': { imports: [...VUE, '@tutti/documents/client', '@tutti/documents/versions'] },
  'packages/nuxt/src/**': { imports: [...NODE, '@nuxt/kit'], types: ['@nuxt/schema'] },
  'packages/nuxt/src/runtime/*': { imports: PROTOCOL },
  'packages/nuxt/src/runtime/app/**': { imports: [...VUE, '@tutti/vue', '@tutti/vue/**', '#imports'] },
  'packages/nuxt/src/runtime/server/**': { imports: [...STORAGE, ...NUXT_SERVER], types: ['@tutti/vue', '@tutti/client'] },
  'packages/test-kit/src/**': { imports: [...NODE, 'playwright-core', 'socket.io-parser'] },
}

const byName = {
  regex: '^(\\.\\./)+([\\w@-]+/)+(src|test|dist)(/|$)',
  message: 'Import another package by its name, never by a path into it.',
}

const asUser = {
  regex: '^@tutti/[^/]+/internal(/|$)',
  message: 'Examples import only what users import.',
}

/** Allows a package in a group that forbids all. As in a .gitignore file, the scope of a package must be allowed too. */
const allowed = (name: string): string[] => (name.startsWith('@') ? [`!${name.split('/')[0]}`, `!${name}`] : [`!${name}`])

function layer([files, { imports = [], types: allTypes = [], own = true }]: [string, Layer]): OxlintOverride {
  const types = allTypes.filter((name) => !imports.includes(name))
  const names = [...imports, ...types.map((name) => `${name} (types only)`)].filter((name) => !name.endsWith('/**'))
  const message = `${files} imports ${names.join(', ') || 'no package'}. The layers are defined in oxlint.config.ts.`
  const patterns: Pattern[] = [
    { group: ['*', ...(own ? ['!.', '!..', '!./**', '!../**'] : []), ...[...imports, ...types].flatMap(allowed)], message },
  ]
  if (own) patterns.unshift(byName)
  if (types.length > 0) patterns.unshift({ regex: `^(${types.join('|')})$`, allowTypeImports: true, message })
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

const UNSAFE = ['argument', 'assignment', 'call', 'member-access', 'return'].map((name) => `typescript/no-unsafe-${name}`)
const unsafe = (severity: 'error' | 'off') => Object.fromEntries(UNSAFE.map((rule) => [rule, severity]))

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'vitest'],
  categories: { correctness: 'error' },
  env: { builtin: true },
  ignorePatterns: ['**/dist/**'],
  rules: {
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-throw-literal': 'error',
    'max-lines': ['error', { max: 250 }],
    'unicorn/no-useless-spread': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'import/no-cycle': 'error',
    'import/no-self-import': 'error',
    'import/no-default-export': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/unbound-method': 'off',
    'typescript/consistent-type-imports': 'error',
    'typescript/only-throw-error': ['error', { allowThrowingUnknown: true }],
    'typescript/prefer-promise-reject-errors': 'error',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'assert*', 'fc.assert'] }],
    'vitest/no-conditional-expect': 'off',
    'vitest/no-standalone-expect': 'off',
    'vitest/valid-title': ['error', { ignoreTypeOfDescribeName: true, ignoreTypeOfTestName: true }],
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
    'vitest/warn-todo': 'error',
  },
  overrides: [
    { files: ['packages/*/src/**'], rules: { 'no-console': 'error', ...unsafe('error') } },
    { files: ['packages/*/src/testing/**'], rules: unsafe('off') },
    ...Object.entries(LAYERS).map(layer),
    {
      files: ['packages/*/test/**', 'packages/*/*.ts', 'apps/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [byName] }] },
    },
    {
      files: ['apps/{demo,examples}/**', 'examples/**'],
      rules: { 'no-restricted-imports': ['error', { patterns: [byName, asUser] }] },
    },
    { files: ['**/*.test.ts', 'packages/*/test/**', 'apps/*/test/**'], rules: { 'max-lines': 'off' } },
  ],
})
