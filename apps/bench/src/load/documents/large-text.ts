import type { Text } from 'yjs'

const SENTENCE = 'About fifty characters in a random place of it... '

/** Inserts sentences in random places until a text has so many characters. */
export function growText(text: Text, characters: number): void {
  text.doc?.transact(() => {
    // Each place is near the last one: to find a random place takes long in a large document.
    let place = 0
    while (text.length < characters) {
      place = Math.max(0, Math.min(text.length, place + Math.floor((Math.random() - 0.4) * 400)))
      text.insert(place, SENTENCE)
    }
  })
}
