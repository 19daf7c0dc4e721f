import { incremented, type Entry, type JsonValue } from '@tutti/protocol'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { Mutation, StoredEntry, WriteGuard, WriteOptions, WriteResult } from '../contract.ts'
import { checkFailure, checkMutation } from '../mutation.ts'
import { lockRefusal } from '../store-errors.ts'
import type { StoreSettings } from '../store-options.ts'
import { jsonOfText, parseJson, valueOfText } from '../stored-text.ts'
import { NO_VERSION, type PatchQueue } from './patch-queue.ts'
import { valueTail } from './watch-message.ts'
import { resultOf, type RunWrite, type WriteAnswer, type WriteCall } from './write-call.ts'

/** Dependencies of the writes. */
export interface RedisWritesOptions {
  link: RedisLink
  settings: StoreSettings
  runWrite: RunWrite
  patches: PatchQueue
  readOne: (key: string) => Promise<StoredEntry>
}

type Resolve = (result: WriteResult) => void
type Reject = (error: unknown) => void
type Increment = Extract<Mutation, { op: 'increment' }>

/**
 * The writes of a store. Every kind of write settles by a callback in the loop over the replies of Redis, so that writes of one
 * connection settle in the order in which Redis executed them. A promise in between would break that order (S3).
 */
export interface RedisWrites {
  mutation(mutation: Mutation, options: WriteOptions, resolve: Resolve, reject: Reject): void
  /** Stores a text unchanged (S11). */
  text(key: string, text: string, ttlMs: number | undefined, resolve: Resolve, reject: Reject): void
}

/** Creates the writes of a store. */
export function createRedisWrites({ link, settings, runWrite, patches, readOne }: RedisWritesOptions): RedisWrites {
  const defaultDeadline = (): number => link.now() + settings.writeTimeoutMs

  const run = (call: WriteCall, resolve: Resolve, reject: Reject): void =>
    runWrite(
      call,
      (answer) => {
        // A remembered conflict has no entry.
        const isRemembered = answer.verdict === 'conflict' && answer.author >= 0
        if (!isRemembered) return settle(call, answer, undefined, resolve, reject)
        readOne(call.key).then((entry) => settle(call, answer, withoutExpiry(entry), resolve, reject), reject)
      },
      reject,
    )

  /**
   * With a check, the instance adds, and writes on the condition that the base is still the newest, until no other write wins.
   */
  const incrementChecked = (
    call: WriteCall,
    { by, initial = 0 }: Increment,
    check: WriteOptions['check'],
    resolve: Resolve,
    reject: Reject,
  ): void => {
    const attempt = (base: { version: number; value: JsonValue | undefined }): void => {
      const sum = incremented(base.value === undefined ? initial : base.value, by)
      const failure = sum === undefined ? undefined : checkFailure(check, sum)
      const version = failure === undefined ? base.version : NO_VERSION
      const answered = (answer: WriteAnswer): void => {
        if (answer.verdict !== 'base') return settle(call, answer, undefined, resolve, reject)
        if (failure !== undefined && answer.version === base.version) return reject(failure.error)
        attempt({ version: answer.version, value: answer.text === null ? undefined : valueOfText(answer.text) })
      }
      runWrite({ ...call, condition: { kind: 'base', version } }, answered, reject)
    }
    const { version = 0, value } = patches.cache.get(call.key) ?? {}
    attempt({ version, value: value && parseJson(value.toJson()) })
  }

  return {
    mutation: (mutation, { deadline = defaultDeadline(), check, guard: given }, resolve, reject) => {
      checkMutation(mutation)
      const guard = guardOf(given)
      const { key, author, writer } = mutation
      const common = { key, writer, deadline, authors: author === undefined ? [] : [author], guard }
      switch (mutation.op) {
        case 'set': {
          check?.(mutation.value)
          const text = JSON.stringify(mutation.value)
          const tail = Buffer.byteLength(text) <= settings.inlineValueMaxBytes ? '=' : ''
          const condition = ifVersion(mutation.ifVersion)
          return run({ ...common, op: 'set', text, tail, ttlMs: mutation.ttlMs, condition }, resolve, reject)
        }
        case 'remove':
          return run({ ...common, op: 'remove', text: '', tail: '', condition: ifVersion(mutation.ifVersion) }, resolve, reject)
        case 'increment': {
          const call: WriteCall = { ...common, op: 'increment', text: String(mutation.by), tail: String(mutation.initial ?? 0) }
          if (check === undefined) return run(call, resolve, reject)
          return incrementChecked(call, mutation, check, resolve, reject)
        }
        case 'patch':
          return patches.write({ key, author, writer, deadline, patch: mutation.patch, check, guard }, resolve, reject)
      }
    },
    text: (key, text, ttlMs, resolve, reject) => {
      const json = jsonOfText(text)
      const tail = Buffer.byteLength(json) > settings.inlineValueMaxBytes ? '' : json === text ? '=' : valueTail(json)
      run({ key, op: 'set', text, tail, ttlMs, deadline: defaultDeadline(), authors: [] }, resolve, reject)
    },
  }
}

/** The guard that the script checks. One without a record is judged by locks of this process, whose writes are sent in order. */
function guardOf(guard: WriteGuard | undefined): WriteCall['guard'] {
  if (guard === undefined) return undefined
  const { record } = guard
  if (record !== undefined) return { ...guard, record }
  const refusal = guard.refusal()
  if (refusal !== undefined) throw lockRefusal(refusal)
  return undefined
}

const withoutExpiry = ({ expiresAt: _expiresAt, ...entry }: StoredEntry): Entry => entry

function settle(call: WriteCall, answer: WriteAnswer, entry: Entry | undefined, resolve: Resolve, reject: Reject): void {
  try {
    resolve(resultOf(call, answer, entry))
  } catch (error) {
    reject(error)
  }
}

const ifVersion = (version: number | undefined): WriteCall['condition'] => (version === undefined ? undefined : { kind: 'if', version })
