import { setTimeout as wait } from 'node:timers/promises'
import { postgresStore } from '@tutti/documents/server'
import { eventually, freePort, seededRandom, startPostgres, startRedis, startTcpProxy, type Instance } from '@tutti/test-kit'
import { Doc, applyUpdate } from 'yjs'
import type { PlantedBug } from '../planted-bug.ts'
import { startProcess } from '../start-process.ts'
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
export async function runDocuments({ seed, authors: size, seconds, settleMs, bug }: DocumentsRunOptions): Promise<DocumentsResult> {
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

  const fault = async (): Promise<void> => {
    const place = random.below(3)
    const forMs = 200 + random.below(600)
    const kind = random.pick(['kill', 'cut', 'stall', 'database', 'leave'] as const)
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
        await eventually(() => author.isSynced() || Promise.reject(new Error('An author is not synced.')), { timeoutMs: settleMs })
        left.push(...authors.splice(0, 1))
        await author.close()
        authors.push(add(size + left.length))
      }
    }
  }

  const typing = setInterval(() => random.pick(authors).type(), MS_BETWEEN_EDITS)
  const violations: string[] = []
  try {
    await eventually(() => authors.every((author) => author.isSynced()) || Promise.reject(new Error('No start.')))
    const endMs = performance.now() + seconds * 1_000
    while (performance.now() < endMs) await fault()
    clearInterval(typing)
    await settle(authors, settleMs)
    violations.push(...checkTexts([...authors, ...left], authors))
    for (const author of authors) await author.close()
    const store = postgresStore({ url })
    await eventually(
      async () => {
        const stored = textOf(await store.load(ID))
        if (stored !== authors[0]?.text()) throw new Error('The database differs.')
      },
      { timeoutMs: settleMs },
    ).catch(() => violations.push('stored: a cold start has another text than the authors'))
    await store.close()
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

/** Waits until all authors have all edits acknowledged and the same text; ends in silence where they do not. */
async function settle(authors: readonly DocumentAuthor[], timeoutMs: number): Promise<void> {
  const check = async (): Promise<void> => {
    if (!authors.every((author) => author.isSynced())) throw new Error('not synced')
    if (new Set(authors.map((author) => author.text())).size > 1) throw new Error('not equal')
  }
  await eventually(check, { timeoutMs, everyMs: 50 }).catch(() => {})
}

/** What the texts violate: `all` have inserted words, and `present` are still there. */
function checkTexts(all: readonly DocumentAuthor[], present: readonly DocumentAuthor[]): string[] {
  const violations: string[] = []
  const texts = new Set(present.map((author) => author.text()))
  if (texts.size > 1) violations.push(`equal: ${texts.size} different texts`)
  if (!present.every((author) => author.isSynced())) violations.push('synced: edits are not acknowledged')
  for (const text of texts) {
    const lost = all.flatMap(({ words }) => words.filter((word) => !text.includes(word)))
    if (lost.length > 0) violations.push(`lost: ${lost.slice(0, 5).join(' ')}`)
  }
  return violations
}

/** The text of a cold start. */
function textOf(stored: { snapshot: Uint8Array | undefined; updates: readonly Uint8Array[] } | undefined): string {
  const doc = new Doc()
  for (const update of [stored?.snapshot, ...(stored?.updates ?? [])]) if (update !== undefined) applyUpdate(doc, update)
  const text = doc.getText('text').toJSON()
  doc.destroy()
  return text
}
