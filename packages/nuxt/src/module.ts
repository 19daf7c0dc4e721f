import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import {
  addImports,
  addPlugin,
  addServerImports,
  addServerPlugin,
  addServerTemplate,
  addTypeTemplate,
  createResolver,
  defineNuxtModule,
  getLayerDirectories,
  getNuxtVersion,
  updateTemplates,
  useLogger,
  useNitro,
} from '@nuxt/kit'
import type { Nuxt, NuxtModule } from '@nuxt/schema'
import { catchDevUpgrades } from './catch-dev-upgrades.ts'
import { COMPOSABLES, OPTIONAL_ENTRIES } from './composables.ts'
import { definitionModule, findDefinitions, watchDefinitions } from './definition-files.ts'
import type { ModuleOptions } from './module-options.ts'
import { hasRedis } from './runtime/server/realtime-config.ts'
import { SCHEMA_TYPES, schemaTypes } from './schema-types.ts'

export type { ModuleOptions } from './module-options.ts'

const ALONE = 'No Redis is configured: instances are not synchronized. Set `tutti.redis` or NUXT_TUTTI_REDIS_URL to run several.'

const inPackage = createResolver(import.meta.url).resolve

/** The Nuxt module: `modules: ['@tutti/nuxt']`, with the options `tutti` in `nuxt.config.ts`. */
const module: NuxtModule<ModuleOptions> = defineNuxtModule<ModuleOptions>({
  meta: { name: '@tutti/nuxt', configKey: 'tutti', compatibility: { nuxt: '>=4.4.0' } },
  setup: ({ url = '', ...options }, nuxt) => {
    const { runtimeConfig } = nuxt.options
    runtimeConfig.public['tutti'] = { url, ...objectOf(runtimeConfig.public['tutti']) }
    nuxt.options.build.transpile.push(inPackage('./runtime'))
    addToPages(nuxt)
    if (url === '') addToServer(options, nuxt)
    addDefinitions(nuxt)
  },
})

export default module

/** Composables, and the plugins that render and connect pages. */
function addToPages(nuxt: Nuxt): void {
  for (const [entry, names] of Object.entries(COMPOSABLES)) {
    const from = inPackage(OPTIONAL_ENTRIES[entry] ?? './runtime/app/composables')
    addImports(names.map((name) => ({ name, from })))
  }
  addPlugin(inPackage('./runtime/app/realtime.server'))
  addPlugin(inPackage('./runtime/app/realtime.client'))
  // Vite would find them with the first page, and reload that page.
  const { optimizeDeps = {} } = nuxt.options.vite
  const always = Object.keys(COMPOSABLES).filter((name) => !(name in OPTIONAL_ENTRIES))
  const found = always.map((name) => `@tutti/nuxt > ${name}`)
  nuxt.options.vite.optimizeDeps = { ...optimizeDeps, include: [...(optimizeDeps.include ?? []), ...found] }
}

/** The realtime server, on the port of the application. */
function addToServer(options: ModuleOptions, nuxt: Nuxt): void {
  const dataDir = nuxt.options.dev ? resolve(nuxt.options.rootDir, '.data/tutti') : ''
  // Nuxt replaces only values that exist by variables of the environment.
  const { redis = {} } = options
  const config = { redisUrl: '', dataDir, ...options, redis, ...objectOf(nuxt.options.runtimeConfig['tutti']) }
  nuxt.options.runtimeConfig['tutti'] = config
  nuxt.options.nitro.experimental = { ...nuxt.options.nitro.experimental, websocket: true }
  addServerPlugin(inPackage(`./runtime/server/${Number.parseInt(getNuxtVersion(nuxt)) < 5 ? 'nitro2' : 'nitro3'}-plugin`))
  const isAlone = !hasRedis(config)
  if (!nuxt.options.dev) return
  nuxt.hook('ready', catchDevUpgrades)
  if (isAlone) useLogger('tutti').warn(ALONE)
}

/** `server/realtime.ts`, and `shared/realtime.ts` with the types of the composables. In dev both may come and go. */
function addDefinitions(nuxt: Nuxt): void {
  const layers = getLayerDirectories(nuxt)
  const ofServer = inPackage('./runtime/server')
  const defineSchema = { name: 'defineSchema', from: inPackage('./runtime/define-schema') }
  addImports(defineSchema)
  addServerImports([
    defineSchema,
    { name: 'defineRealtime', from: `${ofServer}/define-realtime` },
    { name: 'useRealtimeServer', from: `${ofServer}/use-realtime-server` },
  ])
  addServerTemplate({ filename: '#tutti/definition', getContents: () => definitionModule(findDefinitions(layers)) })
  const folder = dirname(resolve(nuxt.options.buildDir, SCHEMA_TYPES))
  // By its path, because the application may have no access to it: it is a dependency of this package.
  const register = createRequire(import.meta.url).resolve('@tutti/vue')
  const types = {
    filename: SCHEMA_TYPES,
    getContents: () => schemaTypes({ folder, register, schema: findDefinitions(layers).schema }),
  } as const
  addTypeTemplate(types, { nuxt: true, nitro: true })
  if (!nuxt.options.dev) return
  nuxt.hook('ready', () => {
    const stop = watchDefinitions(layers, () => {
      void useNitro().hooks.callHook('rollup:reload')
      void updateTemplates({ filter: ({ filename }) => filename === SCHEMA_TYPES })
    })
    nuxt.hook('close', stop)
  })
}

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
