import type { Row } from './row.ts'
import { append } from './rows/append.ts'
import { client } from './rows/client.ts'
import { closedLoop } from './rows/closed-loop.ts'
import { connect } from './rows/connect.ts'
import { cursors, cursorsOf200 } from './rows/cursors.ts'
import { documentResume } from './rows/document-resume.ts'
import { documents } from './rows/documents.ts'
import { fanOut } from './rows/fan-out.ts'
import { fieldOf100k } from './rows/field-of-100k.ts'
import { joinStorm } from './rows/join-storm.ts'
import { keystrokes } from './rows/keystrokes.ts'
import { documentJoiners, documentSlowLink } from './rows/large-documents.ts'
import { noSubscriber } from './rows/no-subscriber.ts'
import { reconnect } from './rows/reconnect.ts'
import { repair } from './rows/repair.ts'
import { values4k } from './rows/values-4k.ts'
import { writes } from './rows/writes.ts'

/** All rows, in the order in which they are measured. */
export const ROWS: readonly Row[] = [
  writes,
  closedLoop,
  fanOut,
  values4k,
  fieldOf100k,
  noSubscriber,
  reconnect,
  connect,
  client,
  repair,
  cursors,
  cursorsOf200,
  joinStorm,
  append,
  documents,
  keystrokes,
  documentResume,
  documentJoiners,
  documentSlowLink,
]
