import { seededRandom, type SeededRandom } from '@tutti/test-kit'
import * as Y from 'yjs'

const AUTHORS = 20
const SENTENCE = 'A sentence of about a hundred characters, of which half is deleted in a random place of the text... '

/** Inserts a few words at a random place. */
export function randomInsert(doc: Y.Doc, random: SeededRandom): void {
  const text = doc.getText('text')
  text.insert(random.below(text.length + 1), 'a few words, '.slice(0, 6 + random.below(8)))
}

/** A text of at least `length` characters by many authors, as one update. As many characters were deleted in random places. */
export function churnedDocument(length: number): Uint8Array {
  const random = seededRandom(11)
  let content = Y.encodeStateAsUpdate(new Y.Doc())
  for (let author = 1; author <= AUTHORS; author += 1) {
    const doc = new Y.Doc()
    doc.clientID = author
    Y.applyUpdate(doc, content)
    const text = doc.getText('text')
    doc.transact(() => {
      while (text.length < (length * author) / AUTHORS) {
        text.insert(random.below(text.length + 1), SENTENCE)
        text.delete(random.below(text.length - SENTENCE.length / 2), SENTENCE.length / 2)
      }
    })
    content = Y.encodeStateAsUpdate(doc)
    doc.destroy()
  }
  return content
}
