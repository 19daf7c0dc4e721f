import { parseKey } from '@tutti/protocol'
import { createListeners } from '@tutti/protocol/internal'
import type { RedisLink, ScriptReply } from '@tutti/pubsub/redis'
import type { EntryInfo, RawStore } from '../raw-store.ts'
import { wrongType } from '../store-errors.ts'
import { createStoreLifecycle } from '../store-lifecycle.ts'
import type { StoreSettings } from '../store-options.ts'
import { createChangeFeed } from './change-feed.ts'
import { createEntryReads } from './entry-reads.ts'
import { createIndexClaims } from './index-claims.ts'
import { keyNames } from './key-names.ts'
import { createPatchQueue } from './patch-queue.ts'
import { READ_SCRIPT } from './read-script.ts'
import { createRedisIndex } from './redis-index.ts'
import { createRedisWrites } from './redis-writes.ts'
import { textOf } from './reply.ts'
import { createStoreScripts } from './store-scripts.ts'
import { createRunWrite } from './write-call.ts'
import { GUARDED_WRITE_SCRIPT, PLAIN_SET, WRITE_SCRIPT } from './write-script.ts'

/** Dependencies and settings of the store. */
export interface RedisStoreOptions {
  link: RedisLink
  instanceId: string
  base: string | undefined
  settings: StoreSettings
}

/** The state store on Redis: every write is one script, every read another; changes arrive over one Redis channel. */
export function createRedisStore({ link, instanceId, base, settings }: RedisStoreOptions): RawStore {
  const names = keyNames(link, base)
  const claims = createIndexClaims(link, names)
  const scriptOf = createStoreScripts({ link, instanceId, names, claims, settings })
  const runWrite = createRunWrite(link, names, scriptOf(WRITE_SCRIPT, PLAIN_SET), scriptOf(GUARDED_WRITE_SCRIPT))
  const reads = createEntryReads({ link, names, settings, script: scriptOf(READ_SCRIPT) })
  const patches = createPatchQueue({ run: runWrite, inlineValueMaxBytes: settings.inlineValueMaxBytes })
  const writes = createRedisWrites({ link, settings, runWrite, patches, readOne: reads.readOne })
  const lifecycle = createStoreLifecycle()
  const { call, settle } = lifecycle
  const stops = new Set<() => void>()
  const lateListeners = createListeners<[]>((error) => settings.onError(error, { stage: 'listener' }))
  // A read overtakes a subscription that Redis has not confirmed yet: changes between the two are missed (N6).
  const onSubscribed = (): (() => void) => {
    const before = lifecycle.calls
    return () => void (lifecycle.calls > before && lateListeners.emit())
  }
  const feed = createChangeFeed({ link, channel: names.channel, cache: patches.cache, onError: settings.onError, onSubscribed })

  const entries = createRedisIndex({ link, names, claims, readOne: reads.readOne })
  return {
    base,
    read: (keys) => settle((resolve, reject) => reads.readMany(keys, resolve, reject)),
    readChanged: (known) => settle((resolve, reject) => reads.readChanged(known, resolve, reject)),
    list: (prefix, after) => call(() => entries.list(prefix, after)),
    write: (mutation, options = {}) => settle((resolve, reject) => writes.mutation(mutation, options, resolve, reject)),
    touch: (key) => call(async () => ({ version: (await reads.readOne(key, 'touch')).version })),
    reindex: () => call(() => entries.reindex()),
    onChange: (listener, wants) => {
      lifecycle.assertOpen()
      return feed.listen(listener, wants)
    },
    onGap: (listener) => {
      lifecycle.assertOpen()
      const undo = [link.onGap(listener), lateListeners.add(listener)]
      const stop = (): void => undo.forEach((end) => end())
      stops.add(stop)
      return () => void (stops.delete(stop) && stop())
    },
    get droppedMessages() {
      return feed.dropped
    },
    now: () => link.now(),
    dispose: async () => {
      feed.close()
      for (const stop of stops) stop()
      await lifecycle.close()
    },
    getText: (key) => call(async () => textOf(await link.command('GET', names.value(parseKey(key))).catch(refuse))),
    setText: (key, text, ttlMs) => settle((resolve, reject) => writes.text(parseKey(key), text, ttlMs, () => resolve(), reject)),
    keys: (prefix) => call(() => entries.keys(prefix)),
    info: (key) => call(async () => infoOf(await link.command('GET', names.state(parseKey(key))))),
    getMeta: (key) => call(async () => textOf(await link.command('GET', names.meta(parseKey(key))))),
    setMeta: (key, text) =>
      call(
        async () =>
          void (text === null
            ? await link.command('UNLINK', names.meta(parseKey(key)))
            : await link.command('SET', names.meta(parseKey(key)), text)),
      ),
  }
}

/** The fields of a state: see `SCRIPT_HEAD`. */
function infoOf(state: ScriptReply): EntryInfo | null {
  const [version, mark] = textOf(state)?.split(' ') ?? []
  if (version === undefined || mark === 'd') return null
  return { version: Number(version), expiresAt: mark === undefined ? undefined : Number(mark) }
}

function refuse(error: unknown): never {
  throw error instanceof Error && error.message.startsWith('WRONGTYPE') ? wrongType(error) : error
}
