import { join } from 'node:path'
import { RealtimePubSub } from '@tutti/pubsub'
import { rules } from '@tutti/server'
import type { AttachRealtimeOptions } from '@tutti/server/nitro'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import fsDriver from 'unstorage/drivers/fs-lite'
import { isGuest } from '../app/guest.ts'
import { DOCUMENT_PREFIX, documentRoom, fieldLock, GUIDE, KEYS, LIST_PREFIX, PAGE_ROOM } from '../app/shared-state.ts'
import { schema } from './realtime-schema.ts'
import { connectingUser } from './connecting-user.ts'
import { demoDocuments } from './demo-documents.ts'

/** The folder of the state without Redis, relative to the working folder. */
const DATA_FOLDER = '.data'

/** The chat is stored: its channels and what is kept of each. */
const CHAT = { 'chat:*': { maxRecords: 1_000, maxAgeMs: 7 * 24 * 3_600_000 } }

const ALL_USERS = { read: true, write: true }
const PRESENT = { read: true, join: true }

/** The rights: shared data is listed by name, keys below a user's name belong to that user, and everything else is refused. */
export const authorize = rules({
  state: {
    [KEYS.count]: ALL_USERS,
    [`${LIST_PREFIX}*`]: ALL_USERS,
    [KEYS.room]: ALL_USERS,
    [`${DOCUMENT_PREFIX}*`]: ALL_USERS,
    'user:{id}:*': { read: true, write: true },
  },
  events: {
    'chat:*': { subscribe: true, publish: true },
    // Only the server publishes on it.
    'user:{id}:*': { subscribe: true },
  },
  presence: { [PAGE_ROOM]: PRESENT, [`${DOCUMENT_PREFIX}*`]: PRESENT, [documentRoom(GUIDE)]: PRESENT },
  documents: {
    [`${DOCUMENT_PREFIX}*`]: ALL_USERS,
    [GUIDE]: { read: true, write: ({ user }) => user !== null && !isGuest(user.id) },
  },
  locks: { [fieldLock('*')]: { read: true, acquire: true } },
})

/** With `REDIS_URL`: one of several instances. Without: a single instance with its state on disk. */
export function realtimeOptions(): AttachRealtimeOptions {
  const common = { ...proxyOptions(), authenticate: connectingUser, authorize, schema, durable: CHAT, onError: report }
  const url = process.env['REDIS_URL']
  if (url) {
    const pubsub = new RealtimePubSub({ url, onError: (error, { stage }) => console.error(`Redis (${stage}):`, error) })
    // Without a database that all instances share, there are no documents.
    return { ...common, pubsub, state: reactiveRedisDriver({ pubsub }), documents: demoDocuments(undefined) }
  }
  return {
    ...common,
    state: reactiveDriver(fsDriver({ base: DATA_FOLDER })),
    documents: demoDocuments(join(DATA_FOLDER, 'documents')),
    onWarning: () => console.warn(`REDIS_URL is not set: state is stored in ${DATA_FOLDER}, and instances are not synchronized.`),
  }
}

/** The deployment of the demo, from the environment: `TRUST_PROXY`, a number of proxies, and `ORIGINS`, separated by spaces. */
function proxyOptions(): Pick<AttachRealtimeOptions, 'trustProxy' | 'origins'> {
  const origins = (process.env['ORIGINS'] ?? '').split(/\s+/).filter((origin) => origin !== '')
  return { trustProxy: Number(process.env['TRUST_PROXY'] ?? 0), origins }
}

const report: NonNullable<AttachRealtimeOptions['onError']> = (error, { stage }) => console.error(`Realtime (${stage}):`, error)
