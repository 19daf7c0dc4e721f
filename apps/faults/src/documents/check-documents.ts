import { eventually } from '@tutti/test-kit'
import type { DocumentStore } from '@tutti/documents/server'
import { Doc, applyUpdate } from 'yjs'
import type { DocumentAuthor } from './document-author.ts'

/** Waits until all authors have all edits acknowledged and the same text; ends in silence where they do not. */
export async function settle(authors: readonly DocumentAuthor[], timeoutMs: number): Promise<void> {
  const check = async (): Promise<void> => {
    if (!authors.every((author) => author.isSynced())) throw new Error('not synced')
    if (new Set(authors.map((author) => author.text())).size > 1) throw new Error('not equal')
  }
  await eventually(check, { timeoutMs, everyMs: 50 }).catch(() => {})
}

/** What the texts violate: `all` have inserted words, and `present` are still there. */
export function checkTexts(all: readonly DocumentAuthor[], present: readonly DocumentAuthor[]): string[] {
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

/** Returns the violation, if a cold start does not have this text within the time. */
export async function checkStored(store: DocumentStore, id: string, text: string | undefined, timeoutMs: number): Promise<string[]> {
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
