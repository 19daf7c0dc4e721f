import { eventually } from '@tutti/test-kit'
import * as Y from 'yjs'
import type { RealtimeDocument } from '../../src/client/document.ts'
import type { Session } from './session.ts'

/** Transactions of one author that are sent together at most, as if they were typed within one tick. */
const BURST = 50

/** Settles when the condition is true. */
const until = (isTrue: () => boolean, timeoutMs: number): Promise<void> =>
  eventually(
    () => {
      if (!isTrue()) throw new Error('An edit has not arrived.')
    },
    { timeoutMs, everyMs: 2 },
  )

/** An author: what is on its screen, and the document through which it is sent and received. */
interface Author {
  readonly screen: Y.Doc
  readonly notes: RealtimeDocument
  /** The newest transaction of each author that is on the screen. */
  readonly seen: number[]
}

/**
 * Repeats a session, each author on a document of its own. An edit is made on the text that its author had on the screen: changes of
 * others are shown there when the recording shows them, once they have arrived over the server.
 */
export async function replaySession(session: Session, documents: readonly RealtimeDocument[]): Promise<void> {
  const { transactions, agents, startContent } = session
  const [first] = documents
  if (first === undefined || documents.length < agents) throw new Error(`The session has ${agents} authors.`)
  await until(() => documents.every(({ current }) => !current.loading), 10_000)
  if (startContent !== '') first.text.insert(0, startContent)
  await until(() => documents.every(({ text }) => text.length === startContent.length), 10_000)
  const authors = documents.map((notes, agent): Author => {
    const screen = new Y.Doc()
    // Of two texts that were inserted at one place at once, that of the lower id comes first, as in the recordings.
    screen.clientID = agent + 1
    Y.applyUpdate(screen, Y.encodeStateAsUpdate(notes.doc))
    return { screen, notes, seen: Array.from({ length: agents }, () => -1) }
  })
  const made: { update: Uint8Array; clock: number; seen: readonly number[] }[] = []
  const byAgent = Array.from({ length: agents }, (): number[] => [])

  /** Shows the transactions of another author up to one. */
  const show = async ({ screen, notes, seen }: Author, agent: number, last: number): Promise<void> => {
    const client = authors[agent]?.screen.clientID ?? 0
    await until(() => Y.getState(notes.doc.store, client) >= (made[last]?.clock ?? 0), 10_000)
    const missing = (byAgent[agent] ?? []).filter((index) => index > (seen[agent] ?? -1) && index <= last)
    for (const index of missing) Y.applyUpdate(screen, made[index]?.update ?? new Uint8Array([0, 0]))
    seen[agent] = last
  }

  for (const [index, { agent, parents, patches }] of transactions.entries()) {
    const author = authors[agent]
    if (author === undefined) throw new Error(`Transaction ${index} has no author.`)
    const known = parents.map((parent) => made[parent]?.seen ?? [])
    for (const other of authors.keys()) {
      const last = Math.max(-1, ...known.map((seen) => seen[other] ?? -1))
      if (other !== agent && last > (author.seen[other] ?? -1)) await show(author, other, last)
    }
    const { screen, notes } = author
    const before = Y.encodeStateVector(screen)
    screen.transact(() => {
      const text = screen.getText('text')
      for (const [position, deleted, inserted] of patches) {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== '') text.insert(position, inserted)
      }
    })
    const update = Y.encodeStateAsUpdate(screen, before)
    author.seen[agent] = index
    made.push({ update, clock: Y.getState(screen.store, screen.clientID), seen: [...author.seen] })
    byAgent[agent]?.push(index)
    Y.applyUpdate(notes.doc, update, 'editor')
    if (index % BURST === 0) await new Promise(setImmediate)
  }
  await until(() => documents.every(({ current }) => current.synced), 30_000)
}
