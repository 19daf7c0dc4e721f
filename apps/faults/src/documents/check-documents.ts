import { eventually } from '@tutti/test-kit'
import type { DocumentStore } from '@tutti/documents/server'
import { Doc, applyUpdate } from 'yjs'
import type { DocumentAuthor } from './document-author.ts'

/** The end of a run. */
export interface EndOfRun {
  id: string
  /** Time until all must be equal and stored, milliseconds. */
  settleMs: number
  /** Opens the database, when all authors have ended. */
  openStore: () => DocumentStore | Promise<DocumentStore>
}

/** Ends the authors of a document when they have settled. Returns what they and a cold start violate. `left`: authors that have ended before. */
export async function checkEnd(
  authors: readonly DocumentAuthor[],
  left: readonly DocumentAuthor[],
  { id, settleMs, openStore }: EndOfRun,
): Promise<string[]> {
  await settle(authors, settleMs)
  const violations = checkTexts([...authors, ...left], authors)
  for (const author of authors) await author.close()
  const store = await openStore()
  try {
    return [...violations, ...(await checkStored(store, id, authors[0]?.text(), settleMs))]
  } finally {
    await store.close()
  }
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
  const longest = Math.max(...[...texts].map(({ length }) => length))
  const shorter = present.flatMap((author) => (author.text().length < longest ? author.state() : []))
  if (texts.size > 1) violations.push(`equal: ${texts.size} different texts; shorter ones: ${shorter.join(', ')}`)
  for (const author of present) if (!author.isSynced()) violations.push(`synced: edits are not acknowledged: ${author.state()}`)
  for (const text of texts) {
    const lost = all.flatMap(({ words }) => words.filter((word) => !text.includes(word)))
    if (lost.length > 0) violations.push(`lost: ${lost.slice(0, 5).join(' ')}`)
  }
  return violations
}

/** Returns the violation, if a cold start does not have this text within the time. */
async function checkStored(store: DocumentStore, id: string, text: string | undefined, timeoutMs: number): Promise<string[]> {
  const check = async (): Promise<void> => {
    if (textOf(await store.load(id)) !== text) throw new Error('The database differs.')
  }
  try {
    await eventually(check, { timeoutMs })
    return []
  } catch {
    return ['stored: a cold start has another text than the authors']
  }
}

/** The text of a cold start. */
function textOf(stored: { snapshot: Uint8Array | undefined; updates: readonly Uint8Array[] } | undefined): string {
  const doc = new Doc()
  for (const update of [stored?.snapshot, ...(stored?.updates ?? [])]) if (update !== undefined) applyUpdate(doc, update)
  const text = doc.getText('text').toJSON()
  doc.destroy()
  return text
}
