import { defineSchema } from '@tutti/protocol'
import * as v from 'valibot'
import { MAX_NAME_LENGTH } from '../app/session.ts'
import {
  COLOURS,
  DOCUMENT_PREFIX,
  documentRoom,
  GUIDE,
  KEYS,
  LIST_PREFIX,
  MAX_TIME,
  MAX_TITLE_LENGTH,
  PAGE_ROOM,
  TEMPO,
  type ChatEvent,
  type DocumentEntry,
  type ListItem,
  type Room,
  type VisitorInfo,
} from '../app/shared-state.ts'

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength))

const item: v.GenericSchema<ListItem> = v.object({ text: text(80), done: v.boolean() })
const room: v.GenericSchema<Room> = v.object({
  name: text(60),
  about: text(280),
  colour: v.picklist(COLOURS),
  tempo: v.pipe(v.number(), v.minValue(TEMPO.min), v.maxValue(TEMPO.max)),
})
const chatEvent: v.GenericSchema<ChatEvent> = v.object({
  from: text(256),
  name: text(MAX_NAME_LENGTH),
  text: text(300),
  at: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_TIME)),
})
const documentEntry: v.GenericSchema<DocumentEntry> = v.object({ title: text(MAX_TITLE_LENGTH) })
const visitor: v.GenericSchema<VisitorInfo> = v.object({ name: text(MAX_NAME_LENGTH) })

/** The values and events that are accepted from any user and any client: only those that the page can show (X6). */
export const schema = defineSchema({
  state: {
    [KEYS.count]: v.pipe(v.number(), v.integer()),
    [`${LIST_PREFIX}*`]: item,
    [KEYS.room]: room,
    [`${DOCUMENT_PREFIX}*`]: documentEntry,
    'user:*': item,
  },
  events: { 'chat:*': chatEvent },
  presence: { [PAGE_ROOM]: visitor, [`${DOCUMENT_PREFIX}*`]: visitor, [documentRoom(GUIDE)]: visitor },
})
