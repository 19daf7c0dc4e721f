// Puts ioredis 6 in the place of ioredis 5 in the whole process, for tests: `node --import <this file> …`.
import { createRequire, registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const { resolve } = createRequire(new URL('../packages/pubsub/package.json', import.meta.url))
const [five, six] = ['ioredis', 'ioredis-6'].map((name) => pathToFileURL(resolve(name)).href)

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context)
    return found.url === five ? { ...found, url: six } : found
  },
})
