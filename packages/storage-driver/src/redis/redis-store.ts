import { createListeners, incremented, RealtimeError, parseKey } from '@tutti/protocol'
import type { RedisLink, ScriptReply } from '@tutti/pubsub/redis'
import { checkFailure, checkMutation } from '../mutation.ts'
import type { Mutation, StoredEntry, WriteOptions, WriteResult } from '../contract.ts'
import { bytesOf, jsonOfText, valueOfText } from '../stored-text.ts'
import { createStoreLifecycle } from '../store-lifecycle.ts'
import { wrongType } from '../store-errors.ts'
import type { StoreSettings } from '../store-options.ts'
import type { EntryInfo, RawStore } from '../raw-store.ts'
import { createChangeFeed } from './change-feed.ts'
import { createIndexClaims } from './index-claims.ts'
import { keyNames } from './key-names.ts'
import { createPatchQueue, NO_VERSION } from './patch-queue.ts'
import type { PatchBase } from './patch-base-cache.ts'
import { createRedisIndex } from './redis-index.ts'
import { READ_SCRIPT } from './read-script.ts'
import { messageHead, valueTail } from './watch-message.ts'
import { createWriteCall, entryOf, resultOf, rowOf, textOf, type WriteCall } from './write-call.ts'

/** What the store needs of the application's pubsub. */
export interface RedisStoreOptions {
  link: RedisLink
  instanceId: string
  base: string | undefined
  settings: StoreSettings
}

type Increment = Extract<Mutation, { op: 'increment' }>

/** The state store on Redis: every write is one script, every read one more; changes come back over one Redis channel. */
export function createRedisStore({ link, instanceId, base, settings }: RedisStoreOptions): RawStore {
  const names = keyNames(link, base)
  const index = createIndexClaims(link, names)
  const runWrite = createWriteCall(link, instanceId, names, index, settings)
  const readScript = link.script(READ_SCRIPT)
  const patches = createPatchQueue({ run: runWrite, inlineValueMaxBytes: settings.inlineValueMaxBytes })
  const lifecycle = createStoreLifecycle()
  const stops = new Set<() => void>()
  let calls = 0
  const call: typeof lifecycle.call = (work) => {
    calls += 1
    return lifecycle.call(work)
  }

  const lateListeners = createListeners<[]>((error) => settings.onError(error, { stage: 'listener' }))
  // A read overtakes a subscription that Redis has yet to confirm: changes between the two are missed (N6).
  const onSubscribed = (): (() => void) => {
    const before = calls
    return () => void (calls > before && lateListeners.emit())
  }
  const feed = createChangeFeed({ link, channel: names.channel, recent: patches.recent, onError: settings.onError, onSubscribed })

  /** The entry, or undefined where it has the version that is known. */
  const readUnless = async (known: number | '', key: string, how: '' | 'touch' | 'list' = ''): Promise<StoredEntry | undefined> => {
    const announcement = [key, `${link.prefix}:${names.channel}`, instanceId, messageHead(key, undefined), settings.tombstoneMs]
    const run = async (isClaimed: boolean) =>
      rowOf(await readScript.run([names.value(key), names.state(key), index.keyFor(key, isClaimed)], [...announcement, how, known]))
    const until = link.now() + settings.writeTimeoutMs
    const [verdict, version, text, expiry, time] = await index.withIndexClaim(key, until, run, ([first]) => first === 'claim')
    if (verdict === 'type') throw wrongType()
    if (verdict === 'same') return undefined
    // Timers wait by this clock for hours, in which clocks drift.
    link.adjustClock(Number(time))
    const entry = entryOf(key, Number(version), textOf(text))
    return expiry === '' ? entry : { ...entry, expiresAt: Number(expiry) }
  }

  const readOne = async (key: string, how: '' | 'touch' | 'list' = ''): Promise<StoredEntry> => {
    const entry = await readUnless('', key, how)
    if (entry === undefined) throw new RealtimeError('INTERNAL')
    return entry
  }

  const run = async (request: WriteCall): Promise<WriteResult> => {
    const answer = await runWrite(request)
    const remembered = answer.verdict === 'conflict' && answer.author >= 0
    if (!remembered) return resultOf(request, answer)
    const { expiresAt: _, ...entry } = await readOne(request.key)
    return resultOf(request, answer, entry)
  }

  const increment = async (
    call: WriteCall,
    { by, initial = 0 }: Increment,
    check: NonNullable<WriteOptions['check']>,
  ): Promise<WriteResult> => {
    let base: PatchBase = patches.recent.get(call.key) ?? { version: 0, value: undefined }
    for (;;) {
      const sum = incremented(base.value === undefined ? initial : base.value, by)
      const failure = sum === undefined ? undefined : checkFailure(check, sum)
      const version = failure === undefined ? base.version : NO_VERSION
      const answer = await runWrite({ ...call, condition: { kind: 'base', version } })
      if (answer.verdict !== 'base') return resultOf(call, answer)
      if (failure !== undefined && answer.version === base.version) throw failure.error
      base = { version: answer.version, value: answer.text === null ? undefined : valueOfText(answer.text) }
    }
  }

  const write = async (
    mutation: Mutation,
    { deadline = link.now() + settings.writeTimeoutMs, check }: WriteOptions,
  ): Promise<WriteResult> => {
    checkMutation(mutation)
    const { key, author, writer } = mutation
    const common = { key, writer, deadline, authors: author === undefined ? [] : [author] }
    switch (mutation.op) {
      case 'set': {
        check?.(mutation.value)
        const text = JSON.stringify(mutation.value)
        const tail = bytesOf(text) <= settings.inlineValueMaxBytes ? '=' : ''
        return run({ ...common, op: 'set', text, tail, ttlMs: mutation.ttlMs, condition: ifVersion(mutation.ifVersion) })
      }
      case 'remove':
        return run({ ...common, op: 'remove', text: '', tail: '', condition: ifVersion(mutation.ifVersion) })
      case 'increment': {
        const request: WriteCall = { ...common, op: 'increment', text: String(mutation.by), tail: String(mutation.initial ?? 0) }
        return check === undefined ? run(request) : increment(request, mutation, check)
      }
      case 'patch':
        return patches.write({ key, author, writer, deadline, patch: mutation.patch, check })
    }
  }

  const entries = createRedisIndex({ link, names, index, readOne })
  return {
    read: (keys) => call(() => Promise.all(keys.map((key) => readOne(key)))),
    readChanged: (known) =>
      call(async () => {
        const read = await Promise.all([...known].map(([key, version]) => readUnless(version, key)))
        return read.filter((entry) => entry !== undefined)
      }),
    list: (prefix, after) => call(() => entries.list(prefix, after)),
    write: (mutation, options = {}) => call(() => write(mutation, options)),
    touch: (key) => call(async () => ({ version: (await readOne(key, 'touch')).version })),
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
    getText: (key) => call(async () => textOf(await link.command('GET', names.value(key)).catch(refuse))),
    setText: (key, text, ttlMs) =>
      call(async () => {
        const json = jsonOfText(text)
        const tail = bytesOf(json) > settings.inlineValueMaxBytes ? '' : json === text ? '=' : valueTail(json)
        await run({ key: parseKey(key), op: 'set', text, tail, ttlMs, deadline: link.now() + settings.writeTimeoutMs, authors: [] })
      }),
    keys: (prefix) => call(() => entries.keys(prefix)),
    info: (key) => call(async () => infoOf(await link.command('GET', names.state(parseKey(key))))),
    getMeta: (key) => call(async () => textOf(await link.command('GET', names.meta(key)))),
    setMeta: (key, text) =>
      call(
        async () => void (text === null ? await link.command('UNLINK', names.meta(key)) : await link.command('SET', names.meta(key), text)),
      ),
  }
}

const ifVersion = (version: number | undefined): WriteCall['condition'] => (version === undefined ? undefined : { kind: 'if', version })

/** What a state says: see `SCRIPT_HEAD`. */
function infoOf(state: ScriptReply): EntryInfo | null {
  const [version, mark] = textOf(state)?.split(' ') ?? []
  if (version === undefined || mark === 'd') return null
  return { version: Number(version), expiresAt: mark === undefined ? undefined : Number(mark) }
}

function refuse(error: unknown): never {
  throw error instanceof Error && error.message.startsWith('WRONGTYPE') ? wrongType(error) : error
}
