import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pgliteStore, type DocumentStore } from '@tutti/documents/server'
import { eventually, fillPglite, freePort, seededRandom, type Instance } from '@tutti/test-kit'
import { startProcess } from '../start-process.ts'
import { checkEnd } from './check-documents.ts'
import { startAuthor } from './document-author.ts'
import type { DocumentsResult, DocumentsRunOptions } from './run-documents.ts'

const ID = 'notes:faults'
const SCRIPT = new URL('./documents-instance.ts', import.meta.url)
const MS_BETWEEN_EDITS = 25

/** Authors type into one document of a single instance on PGlite, without Redis, which is killed and started again. */
export async function runSingleInstance({ seed, authors: size, seconds, settleMs, bug }: DocumentsRunOptions): Promise<DocumentsResult> {
  const random = seededRandom(seed)
  const root = await mkdtemp(join(tmpdir(), 'tutti-pglite-'))
  const folder = join(root, 'data')
  await fillPglite(folder, (made) => pgliteStore({ folder: made }))
  const port = await freePort()
  const start = (): Promise<Instance> => startProcess(SCRIPT, bug, { DATABASE_FOLDER: folder, PORT: String(port) })
  let instance = await start()
  const urls = [`http://127.0.0.1:${port}`]
  const authors = Array.from({ length: size }, (_, place) => startAuthor(`${seed}-${place}`, ID, urls, seededRandom(seed * 1_000 + place)))
  const faults: string[] = []
  const violations: string[] = []
  let typing: NodeJS.Timeout | undefined
  try {
    await eventually(() => authors.every((author) => author.isSynced()) || Promise.reject(new Error('No start.')), { timeoutMs: settleMs })
    typing = setInterval(() => random.pick(authors).type(), MS_BETWEEN_EDITS)
    const endMs = performance.now() + seconds * 1_000
    do {
      await wait(500 + random.below(2_000))
      faults.push('kill')
      await instance.kill()
      await wait(random.below(600))
      instance = await start()
    } while (performance.now() < endMs)
    clearInterval(typing)
    const openStore = async (): Promise<DocumentStore> => {
      // Killed once more: an acknowledged edit is in the database already.
      await instance.kill()
      return pgliteStore({ folder })
    }
    violations.push(...(await checkEnd(authors, [], { id: ID, settleMs, openStore })))
  } catch (error) {
    violations.push(`settled: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    clearInterval(typing)
    await Promise.all(authors.map((author) => author.close()))
    await instance.kill()
    await rm(root, { recursive: true, force: true })
  }
  return { faults, words: authors.reduce((sum, { words }) => sum + words.length, 0), violations }
}
