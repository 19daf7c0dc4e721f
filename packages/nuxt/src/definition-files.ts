import { existsSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** The folders of a layer that may have a definition. */
export interface LayerFolders {
  readonly root: string
  readonly server: string
  readonly shared: string
}

/** The files in which an application defines its realtime server. */
export interface DefinitionFiles {
  /** `server/realtime.ts` of the first layer that has one. */
  readonly definition: string | undefined
  /** `shared/realtime.ts` of the first layer that has one. */
  readonly schema: string | undefined
}

const EXTENSIONS = ['ts', 'mts', 'js', 'mjs']

/** Finds the files. */
export function findDefinitions(layers: readonly LayerFolders[]): DefinitionFiles {
  const first = (folder: 'server' | 'shared'): string | undefined =>
    layers.flatMap((layer) => EXTENSIONS.map((extension) => join(layer[folder], `realtime.${extension}`))).find((path) => existsSync(path))
  return { definition: first('server'), schema: first('shared') }
}

/** The source of the module `#tutti/definition`. */
export function definitionModule({ definition, schema }: DefinitionFiles): string {
  const named = (name: string, path: string | undefined): string =>
    path === undefined ? `export const ${name} = undefined` : `export { default as ${name} } from ${JSON.stringify(path)}`
  return `${named('definition', definition)}\n${named('schema', schema)}\n`
}

/** Calls back when one of the files was created or deleted, also with its folder. Returns a function that ends it. */
export function watchDefinitions(layers: readonly LayerFolders[], onChange: (files: DefinitionFiles) => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  let current = findDefinitions(layers)

  const close = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  const follow = (folder: string): void => {
    if (!existsSync(folder)) return close(folder)
    if (watchers.has(folder)) return
    // A folder may be deleted at any time: then the one above it reports that.
    watchers.set(
      folder,
      watch(folder, scan).on('error', () => close(folder)),
    )
  }
  function scan(): void {
    for (const { root, server, shared } of layers) for (const folder of [root, server, shared]) follow(folder)
    const next = findDefinitions(layers)
    if (next.definition === current.definition && next.schema === current.schema) return
    current = next
    onChange(next)
  }
  scan()
  return () => {
    for (const folder of watchers.keys()) close(folder)
  }
}
