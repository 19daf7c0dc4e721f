import { execFile, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const CACHE = join(import.meta.dirname, '../node_modules/.cache/folders')
const LOCKFILE = join(import.meta.dirname, '../../../pnpm-lock.yaml')

const run = promisify(execFile)

/**
 * Makes `folder` as a copy of what `make` has made once, in any process. For data that takes seconds to make, for example an empty
 * database. It is made again with another `name`, and after a change of the lockfile.
 */
export async function fillFolder(folder: string, name: string, make: (folder: string) => Promise<unknown>, cache = CACHE): Promise<void> {
  const cached = join(cache, createHash('sha256').update(readFileSync(LOCKFILE)).update(`\0${name}`).digest('hex'))
  if (!existsSync(cached)) {
    mkdirSync(cache, { recursive: true })
    const unlock = await lock(`${cached}.lock`)
    try {
      // Another process may have made it meanwhile.
      if (!existsSync(cached)) {
        await make(folder)
        // Renamed when it is complete: other processes may read it at any time.
        const fresh = `${cached}.${randomUUID()}`
        await copy(folder, fresh)
        return renameSync(fresh, cached)
      }
    } finally {
      await unlock()
    }
  }
  await copy(cached, folder)
}

/** Waits until no other process has the lock. It ends with this process. */
async function lock(file: string): Promise<() => Promise<void>> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(holder, 'close')
  await once(holder.stdout, 'data')
  return async () => {
    holder.stdin.end()
    await ended
  }
}

/** With owners and modes, on which PostgreSQL insists. */
const copy = async (from: string, to: string): Promise<void> => void (await run('cp', ['-a', from, to]))
