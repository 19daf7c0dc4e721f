import { registerHooks } from 'node:module'
import { isPlantedBug, withBug } from './planted-bug.ts'

// Loaded before a process under test: replaces sources by versions with a bug.

const bug = process.env['PLANTED_BUG']
const textOf = (source: string | ArrayBuffer | NodeJS.TypedArray): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source)
const PACKAGES = new URL('../../../packages/', import.meta.url).href

if (isPlantedBug(bug))
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (!url.startsWith(PACKAGES) || !loaded.source) return loaded
      return { ...loaded, source: withBug(bug, url.slice(PACKAGES.length), textOf(loaded.source)) }
    },
  })
