import { setTimeout as wait } from 'node:timers/promises'
import { postgresStore } from '@tutti/documents/server'
import { eventually, freePort, seededRandom, startPostgres, startRedis, startTcpProxy, type Instance } from '@tutti/test-kit'
import type { PlantedBug } from '../planted-bug.ts'
import { startProcess } from '../start-process.ts'
import { checkEnd } from './check-documents.ts'
import { startAuthor, type DocumentAuthor } from './document-author.ts'

const ID = 'notes:faults'
const SCRIPT = new URL('./documents-instance.ts', import.meta.url)
const PERSISTED = ['--appendonly', 'yes', '--appendfsync', 'always']
const MS_BETWEEN_EDITS = 25

/** How a run is made. */
export interface DocumentsRunOptions {
  seed: number
  authors: number
  /** Length without starting and settling. */
  seconds: number
  /** Seconds without the database in the middle of the run, among the other faults. */
  awaySeconds?: number | undefined
  /** Time until all must be equal after the last fault, milliseconds. */
  settleMs: number
  bug?: PlantedBug | undefined
}

/** What a run has shown. */
export interface DocumentsResult {
  readonly faults: readonly string[]
  /** Words whose authors had them acknowledged. */
  readonly words: number
  readonly violations: readonly string[]
}

/** Authors type into one document through three instances, which are killed, cut off from Redis, or left without their database. */
export async function runDocuments(options: DocumentsRunOptions): Promise<DocumentsResult> {
  const { seed, authors: size, seconds, awaySeconds = 0, settleMs, bug } = options
  const random = seededRandom(seed)
  const redis = await startRedis({ args: PERSISTED })
  const postgres = await startPostgres()
  const url = await postgres.createDatabase()
  const links = await Promise.all([0, 1, 2].map(() => startTcpProxy(redis)))
  const ports = [await freePort(), await freePort(), await freePort()]
  const start = (place: number): Promise<Instance> =>
    startProcess(SCRIPT, bug, {
      ...{ REDIS_URL: `redis://127.0.0.1:${links[place]?.port ?? 0}`, DATABASE_URL: url, PORT: String(ports[place]) },
    })
  const instances = await Promise.all([0, 1, 2].map(start))
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const faults: string[] = []
  const add = (place: number): DocumentAuthor => startAuthor(`${seed}-${place}`, ID, urls, seededRandom(seed * 1_000 + place))
  const authors = Array.from({ length: size }, (_, place) => add(place))
  /** Authors that have left after their last acknowledgement: only the servers have their edits. */
  const left: DocumentAuthor[] = []

  let isAway = false
  const takeDatabaseAway = async (): Promise<void> => {
    isAway = true
    faults.push(`database away for ${awaySeconds} s`)
    await postgres.kill()
    await wait(awaySeconds * 1_000)
    await postgres.start()
    isAway = false
  }
  const fault = async (): Promise<void> => {
    const place = random.below(3)
    const forMs = 200 + random.below(600)
    const kind = random.pick(
      isAway ? (['kill', 'cut', 'stall', 'leave'] as const) : (['kill', 'cut', 'stall', 'database', 'leave'] as const),
    )
    faults.push(`${kind} ${place}`)
    switch (kind) {
      case 'kill':
        await instances[place]?.kill()
        await wait(forMs)
        instances[place] = await start(place)
        break
      case 'cut':
        links[place]?.refuse()
        await wait(forMs)
        links[place]?.flow()
        break
      case 'stall':
        links[place]?.stall()
        await wait(forMs)
        links[place]?.flow()
        break
      case 'database':
        await postgres.kill()
        await wait(forMs)
        await postgres.start()
        break
      case 'leave': {
        const [author] = authors
        if (author === undefined || authors.length < 2) break
        await eventually(() => author.isSynced() || Promise.reject(new Error(`An author is not synced: ${author.state()}`)), {
          timeoutMs: settleMs,
        })
        left.push(...authors.splice(0, 1))
        await author.close()
        authors.push(add(size + left.length))
      }
    }
  }

  let typing: NodeJS.Timeout | undefined
  const violations: string[] = []
  try {
    await eventually(() => authors.every((author) => author.isSynced()) || Promise.reject(new Error('No start.')), { timeoutMs: settleMs })
    typing = setInterval(() => random.pick(authors).type(), MS_BETWEEN_EDITS)
    const endMs = performance.now() + seconds * 1_000
    const awayAtMs = endMs - (seconds * 500 + awaySeconds * 500)
    let away: Promise<void> | undefined
    while (performance.now() < endMs) {
      if (awaySeconds > 0 && performance.now() > awayAtMs) away ??= takeDatabaseAway()
      await fault()
    }
    await away
    clearInterval(typing)
    violations.push(...(await checkEnd(authors, left, { id: ID, settleMs, openStore: () => postgresStore({ url }) })))
  } catch (error) {
    violations.push(`settled: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    clearInterval(typing)
    await Promise.all(authors.map((author) => author.close()))
    await Promise.all(instances.map((instance) => instance.kill()))
    await Promise.all(links.map((link) => link.close()))
    await postgres.stop()
    await redis.stop()
  }
  return { faults, words: [...authors, ...left].reduce((sum, { words }) => sum + words.length, 0), violations }
}
