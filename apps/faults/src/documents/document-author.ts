import { createRealtimeClient, socketTransport } from '@tutti/client'
import { document } from '@tutti/documents/client'
import type { SeededRandom } from '@tutti/test-kit'

/** One client that types into a document. */
export interface DocumentAuthor {
  /** Inserts a new word at a random place, or deletes some characters that are not part of a word. */
  type(): void
  /** The words that it has inserted. */
  readonly words: readonly string[]
  /** All its edits are acknowledged, and it is connected. */
  isSynced(): boolean
  /** What it shows about its document, for the report of a violation. */
  state(): string
  text(): string
  close(): Promise<void>
}

/** Characters between words, which any author may delete. */
const NOISE = '....'

/** Starts an author on one of the addresses after the other. */
export function startAuthor(name: string, id: string, urls: readonly string[], random: SeededRandom): DocumentAuthor {
  const transports = urls.map((url) => socketTransport({ url }))
  let next = random.below(urls.length)
  const client = createRealtimeClient({
    transport: (handshake, listener) => {
      next += 1
      return random.pick([transports[next % transports.length]].flatMap((each) => each ?? []))(handshake, listener)
    },
    random: () => random.next() / 4,
    onError: () => {},
  })
  const open = document(client, id)
  const words: string[] = []
  return {
    words,
    type: () => {
      const content = open.text.toJSON()
      // Between words, so that each stays in one piece.
      const places = [0, ...[...content.matchAll(/\.|(?=<)/g)].map(({ index }) => index)]
      const place = random.pick(places)
      if (random.next() < 0.3 && content[place] === '.') return open.text.delete(place, 1)
      const word = `<${name}-${words.length}>`
      words.push(word)
      open.text.insert(place, `${word}${NOISE}`)
    },
    isSynced: () => open.current.synced && !open.current.loading,
    state: () =>
      JSON.stringify({
        ...open.current,
        connection: client.connection.current,
        name,
        pending: [...(open.doc.store.pendingStructs?.missing ?? [])],
      }),
    text: () => open.text.toJSON(),
    close: () => client.close(),
  }
}
