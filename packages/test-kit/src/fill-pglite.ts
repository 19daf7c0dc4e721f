import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillFolder } from './fill-folder.ts'

const MIGRATIONS = join(import.meta.dirname, '../../documents/migrations')

/** A store that `open` of `fillPglite` returns. */
interface OpenedStore {
  readonly ready: Promise<unknown>
  close(): Promise<void>
}

/**
 * Makes `folder` with an empty database of PGlite: `open` opens one that is empty once, in any process. PGlite takes 5 s of a processor
 * to create it, and 1 s to open a copy.
 */
export function fillPglite(folder: string, open: (folder: string) => OpenedStore): Promise<void> {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'))
  const migrations = files.map((name) => readFileSync(join(MIGRATIONS, name), 'utf8'))
  return fillFolder(folder, ['PGlite', ...migrations].join('\0'), async (made) => {
    const store = open(made)
    await store.ready
    await store.close()
  })
}
