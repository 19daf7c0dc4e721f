import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const CACHE = join(import.meta.dirname, '../node_modules/.cache/folders')
const LOCKFILE = join(import.meta.dirname, '../../../pnpm-lock.yaml')

const run = promisify(execFile)

/**
 * Makes `folder` by `make`, or as a copy of what `make` has made before, in any process. For data that takes seconds to make, for
 * example an empty database. It is made again with another `name`, and after a change of the lockfile.
 */
export async function fillFolder(folder: string, name: string, make: (folder: string) => Promise<unknown>, cache = CACHE): Promise<void> {
  const cached = join(cache, createHash('sha256').update(readFileSync(LOCKFILE)).update(`\0${name}`).digest('hex'))
  if (existsSync(cached)) return copy(cached, folder)
  await make(folder)
  mkdirSync(cache, { recursive: true })
  // Renamed when it is complete: other processes may read it at any time.
  const fresh = `${cached}.${randomUUID()}`
  await copy(folder, fresh)
  try {
    renameSync(fresh, cached)
  } catch {
    // Another process was first.
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** With owners and modes, on which PostgreSQL insists. */
const copy = async (from: string, to: string): Promise<void> => void (await run('cp', ['-a', from, to]))
