import { RealtimeError, isKey, parseKey, type Entry } from '@tutti/protocol'
import { createKeyedMutex, createListeners, isAbsent } from '@tutti/protocol/internal'
import type { Driver } from 'unstorage'
import { appliedResult, checkMutation } from '../mutation.ts'
import type { StateChange, StoredEntry, WriteOptions, WriteResult } from '../contract.ts'
import { createStoreLifecycle } from '../store-lifecycle.ts'
import { valueOfText } from '../stored-text.ts'
import { conflict, late, lockRefusal, notANumber, staleMutation } from '../store-errors.ts'
import type { StoreSettings } from '../store-options.ts'
import type { RawStore } from '../raw-store.ts'
import { applyMutation, type LocalMutation } from './apply-mutation.ts'
import { driverTexts } from './driver-texts.ts'
import { createLocalEntries, type LocalEntry } from './local-entries.ts'
import { createNameIndex } from './name-index.ts'
import { authorName, keyOfRecord, type Memory } from './state-record.ts'

const PAGE_SIZE = 1_000

/** Dependencies of the store. */
export interface LocalStoreOptions {
  driver: Driver
  settings: StoreSettings
  /** Milliseconds since 1970. */
  now: () => number
}

/**
 * The state store of one process over any unstorage driver. Running one task at a time for each key replaces the atomic script
 * of the Redis store.
 */
export function createLocalStore({ driver, settings, now }: LocalStoreOptions): RawStore {
  const texts = driverTexts(driver)
  const listeners = createListeners<[StateChange]>((error) => settings.onError(error, { stage: 'listener' }))
  const index = createNameIndex(texts.keys)
  const entries = createLocalEntries({ texts, index, listeners, settings, now })
  const mutex = createKeyedMutex()
  const { call, assertOpen, close } = createStoreLifecycle()

  const load = (key: string): Promise<LocalEntry> => mutex.run(parseKey(key), () => before(entries.load(key)))

  const read = async (key: string): Promise<StoredEntry> => {
    const loaded = await load(key)
    const { expiresAt } = loaded.record
    return expiresAt === undefined ? entryOf(key, loaded) : { ...entryOf(key, loaded), expiresAt }
  }

  const write = async (
    mutation: LocalMutation,
    { deadline = now() + settings.writeTimeoutMs, ...options }: WriteOptions = {},
  ): Promise<WriteResult> => {
    if (mutation.op === 'text') parseKey(mutation.key)
    else checkMutation(mutation)
    return mutex.run(mutation.key, () => apply(mutation, deadline, options))
  }

  const apply = async (mutation: LocalMutation, deadline: number, { check, guard }: WriteOptions): Promise<WriteResult> => {
    const { key, author, writer } = mutation
    const entry = await before(entries.load(key))
    const origin = author && { name: authorName(author), number: author.number }
    if (origin !== undefined) {
      // The name contains a `:`, so it cannot be an inherited property.
      const memory = entry.record.memories[origin.name]
      const young = memory !== undefined && memory.at > now() - settings.mutationMemoryMs
      if (young && origin.number < memory.number) throw staleMutation()
      if (young && origin.number === memory.number) return resultOf(mutation, entry, memory)
    }
    // After the lookup of remembered mutations, so that a late repetition still receives its result (F2).
    if (now() > deadline) throw late()

    const guarded = guard?.refusal()
    const applied = guarded === undefined ? applyMutation(mutation, entry.text, entry.record.version) : ({ refused: guarded } as const)
    if ('refused' in applied) {
      const refusal = { verdict: applied.refused, version: entry.record.version }
      if (origin !== undefined) await before(entries.remember(key, entry, origin.name, { ...refusal, number: origin.number }))
      return resultOf(mutation, entry, refusal)
    }
    const { text, result, patch } = applied
    if (text !== null) check?.(valueOfText(text))
    const memory = origin && { ...origin, result }
    const announced = { writer, patch, base: entry.record.version }
    const committed = await entries.commit(key, entry, { text, expiresAt: expiryOf(mutation, entry), memory, announced })
    return resultOf(mutation, committed, { verdict: 'ok', version: committed.record.version, result })
  }

  /** S18: a `set` without a lifetime removes the time limit; increments and patches keep it. */
  const expiryOf = (mutation: LocalMutation, { record }: LocalEntry): number | undefined => {
    if (mutation.op === 'increment' || mutation.op === 'patch') return record.expiresAt
    return 'ttlMs' in mutation && mutation.ttlMs !== undefined ? now() + mutation.ttlMs : undefined
  }

  return {
    read: (keys) => call(() => Promise.all(keys.map(read))),
    readChanged: (known) =>
      call(async () => {
        const entriesNow = await Promise.all([...known.keys()].map(read))
        return entriesNow.filter(({ key, version }) => version !== known.get(key))
      }),
    list: (prefix, after) =>
      call(async () => {
        const keys = await before(index.page(prefix, after, PAGE_SIZE))
        const found = (await Promise.all(keys.map(read))).filter((entry) => !isAbsent(entry))
        return { entries: found, after: keys.length < PAGE_SIZE ? undefined : keys.at(-1) }
      }),
    write: (mutation, options = {}) => call(() => write(mutation, options)),
    touch: (key) =>
      call(() =>
        mutex.run(parseKey(key), async () => {
          const entry = await before(entries.load(key))
          const { record } = await entries.commit(key, entry, { text: entry.text, expiresAt: entry.record.expiresAt })
          return { version: record.version }
        }),
      ),
    reindex: () =>
      call(async () => {
        const recorded = (await before(texts.keys())).flatMap((name) => keyOfRecord(name) ?? [])
        await Promise.all(recorded.map((key) => mutex.run(key, () => before(entries.sweep(key)))))
        await before(index.reload())
      }),
    onChange: (listener) => {
      assertOpen()
      return Object.assign(listeners.add(listener), { ready: Promise.resolve() })
    },
    // Listeners are called directly after a write, so nothing can be missed.
    onGap: () => {
      assertOpen()
      return () => {}
    },
    now,
    dispose: async () => {
      await close()
      listeners.clear()
    },
    getText: (key) => call(async () => (await load(key)).text),
    setText: (key, text, ttlMs) => call(async () => void (await write({ op: 'text', key, text, ttlMs }))),
    keys: (prefix) => call(async () => (await before(texts.keys())).filter((key) => isKey(key) && key.startsWith(prefix))),
    info: (key) =>
      call(async () => {
        const { record, text } = await load(key)
        if (text === null) return null
        return { version: record.version, expiresAt: record.expiresAt }
      }),
    getMeta: (key) => call(() => before(texts.get(`${parseKey(key)}$`))),
    setMeta: (key, text) => call(() => before(texts.put(`${parseKey(key)}$`, text))),
  }
}

const entryOf = (key: string, { record: { version }, text }: LocalEntry): Entry =>
  text === null ? { key, version, removed: true } : { key, version, value: valueOfText(text) }

/** The result of a mutation, new or remembered; throws if it was refused. */
function resultOf(
  mutation: LocalMutation,
  entry: LocalEntry,
  { verdict, version, result }: Pick<Memory, 'verdict' | 'version' | 'result'>,
): WriteResult {
  if (verdict === 'conflict') throw conflict(entryOf(mutation.key, entry))
  if (verdict === 'number') throw notANumber()
  if (verdict === 'lost' || verdict === 'locked') throw lockRefusal(verdict)
  return appliedResult(mutation.op, version, result)
}

/** If the driver fails before a mutation is committed, nothing of it was applied. */
const before = <Result>(work: Promise<Result>): Promise<Result> =>
  work.catch((cause: unknown) => {
    throw cause instanceof RealtimeError
      ? cause
      : new RealtimeError('UNAVAILABLE', { message: 'The storage driver failed, see `cause`. The change was not applied.', cause })
  })
