// The shared data of the page: the keys, the shapes of their values, and the events of the chat.

/** The keys of the shared state. */
export const KEYS = { count: 'demo:count', room: 'demo:room' } as const

/** The room of presence, which each open page joins. */
export const PAGE_ROOM = 'demo:page'

/** What others see of a visitor. */
export interface VisitorInfo {
  readonly name: string
}

/** Each entry of the shared list has its own key below this prefix. */
export const LIST_PREFIX = 'demo:list:'

/** One entry of a list. */
export interface ListItem {
  text: string
  done: boolean
}

/** Other clients may store anything: only values of this shape are shown. */
export const isListItem = (item: unknown): item is ListItem =>
  typeof item === 'object' &&
  item !== null &&
  'text' in item &&
  typeof item.text === 'string' &&
  'done' in item &&
  typeof item.done === 'boolean'

/** The title of each document has its own key below this prefix, which is the id of the document too. */
export const DOCUMENT_PREFIX = 'demo:documents:'

/** The document that each visitor can read and only signed-in users can change. */
export const GUIDE = 'demo:guide'

/** Its title, which does not change. */
export const GUIDE_TITLE = 'House rules'

/** Longest title of a document, UTF-16 units. */
export const MAX_TITLE_LENGTH = 80

/** A document as listed. */
export interface DocumentEntry {
  title: string
}

/** Other clients may store anything: only values of this shape are shown. */
export const isDocumentEntry = (entry: unknown): entry is DocumentEntry =>
  typeof entry === 'object' && entry !== null && 'title' in entry && typeof entry.title === 'string'

/** The room of presence of those that have a document open. */
export const documentRoom = (id: string): string => `${id}:readers`

/** The colours that the page can have. */
export const COLOURS = ['pine', 'sea', 'violet', 'rose', 'ember', 'moss'] as const
export type Colour = (typeof COLOURS)[number]

/** The shared form. */
export interface Room {
  name: string
  about: string
  colour: Colour
  /** Beats per minute. */
  tempo: number
}

/** The lock of a field of the form. */
export const fieldLock = (field: string): string => `${KEYS.room}:${field}`

/** Shown until a user changes the form. */
export const DEFAULT_ROOM: Room = {
  name: 'The rehearsal room',
  about: 'Everyone who has this page open shares it. Change something and watch it change in the other window.',
  colour: 'pine',
  tempo: 96,
}

/** The colour of the page; other clients may store anything. */
export function colourOf(room: unknown): Colour {
  const stored: unknown = typeof room === 'object' && room !== null && 'colour' in room ? room.colour : undefined
  return COLOURS.find((name) => name === stored) ?? DEFAULT_ROOM.colour
}

/** The slowest and the fastest tempo with a name below. */
export const TEMPO = { min: 40, max: 200 } as const

const WORDS = [
  { below: 60, word: 'Largo' },
  { below: 76, word: 'Adagio' },
  { below: 108, word: 'Andante' },
  { below: 120, word: 'Moderato' },
  { below: 168, word: 'Allegro' },
] as const

/** The musical name of a tempo. */
export const tempoWord = (tempo: number): string => WORDS.find(({ below }) => tempo < below)?.word ?? 'Presto'

/** The rooms of the chat; each is a channel `chat:<room>`. */
export const CHAT_ROOMS = ['lobby', 'rehearsal', 'random'] as const
export type ChatRoom = (typeof CHAT_ROOMS)[number]

/** The data published in a room of the chat. */
export interface ChatEvent {
  /** The id of the user, as the page states it. */
  readonly from: string
  readonly name: string
  readonly text: string
  /** When it was written, milliseconds since 1970 by the clock of the page. */
  readonly at: number
}

/** The last time that a `Date` can represent. */
export const MAX_TIME = 8.64e15

/** Events come from other browsers: only data of this shape is shown. */
export const isChatEvent = (data: unknown): data is ChatEvent => {
  if (typeof data !== 'object' || data === null) return false
  const valueOf = (name: string): unknown => Object.getOwnPropertyDescriptor(data, name)?.value
  const at = valueOf('at')
  return ['from', 'name', 'text'].every((name) => typeof valueOf(name) === 'string') && typeof at === 'number' && Math.abs(at) <= MAX_TIME
}
