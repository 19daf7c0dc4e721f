import { RealtimeError, type JsonObject, type JsonValue } from '@tutti/protocol'
import { composePatches } from '@tutti/protocol/internal'
import type { MutationAuthor, WriteOptions, WriteResult } from '../contract.ts'
import { checkFailure } from '../mutation.ts'
import { parseJson, valueOfText } from '../stored-text.ts'
import { createPatchBaseCache, type PatchBaseCache, type PatchBase } from './patch-base-cache.ts'
import { createPatchableValue, patchedValue, type PatchableValue } from './patchable-value.ts'
import { patchTail, valueTail } from './watch-message.ts'
import { resultOf, type RunWrite, type WriteAnswer, type WriteCall } from './write-call.ts'

/** One queued patch of one key. */
export interface PatchRequest {
  key: string
  patch: JsonObject
  author: MutationAuthor | undefined
  writer: string | undefined
  deadline: number
  check?: WriteOptions['check']
  /** A patch with a guard is written alone. */
  guard?: WriteCall['guard']
}

/**
 * A version that no entry has: a write with this condition returns the remembered outcome or the newest value, and stores
 * nothing.
 */
export const NO_VERSION = -1

/** Maximum number of patches in one write, because each author adds a key to the script. */
const MAX_BATCH = 100

interface Waiting extends PatchRequest {
  resolve: (result: WriteResult) => void
  reject: (error: unknown) => void
}

/** Dependencies of the queue. */
export interface PatchQueueOptions {
  run: RunWrite
  inlineValueMaxBytes: number
  cache?: PatchBaseCache
}

/** Writes patches, one script per key at a time. */
export interface PatchQueue {
  readonly cache: PatchBaseCache
  write(request: PatchRequest, resolve: (result: WriteResult) => void, reject: (error: unknown) => void): void
}

/**
 * Patches of one key that are queued during a write are sent together in the next one: one script, one version, each author
 * remembered (S8). Otherwise many patches of a key would compete within one instance.
 */
export function createPatchQueue({ run, inlineValueMaxBytes, cache = createPatchBaseCache() }: PatchQueueOptions): PatchQueue {
  const queues = new Map<string, Waiting[]>()

  const isSmall = (json: string): boolean => Buffer.byteLength(json) <= inlineValueMaxBytes

  const drain = (key: string, queue: Waiting[]): void => {
    const batch = takeBatch(queue)
    if (batch.length === 0) queues.delete(key)
    else writeBatch(key, batch, () => drain(key, queue))
  }

  /** Writes until every patch has its result. If the script refuses a patch for one author, only that one leaves the batch. */
  const writeBatch = (key: string, batch: Waiting[], onDone: () => void): void => {
    let base: PatchBase = cache.get(key) ?? { version: 0, value: undefined }
    let answeredBefore = false
    const fail = (error: unknown): void => {
      for (const patch of batch.splice(0)) patch.reject(error)
      onDone()
    }

    const attempt = (): void => {
      const value = merge(base.value, batch)
      const text = value.toJson()
      const failure = failureOf(batch, text)
      // A patch whose result is refused must not affect the others.
      if (failure !== undefined && batch.length > 1) return writeEach(key, batch, onDone)
      // A result that may not be stored is sent nevertheless: it may have been written before, or its base may be outdated.
      const call = callOf(key, batch, failure === undefined ? base.version : NO_VERSION, text)
      const answered = (answer: WriteAnswer): void => {
        if (answer.verdict === 'base' && failure !== undefined && answer.version === base.version) return fail(failure.error)
        settleAnswered(call, answer, value)
        if (batch.length === 0) onDone()
        else attempt()
      }
      run(call, guarded(answered), (error) => {
        // The memory of one author replied: the others may have shared that write, so "not applied" cannot be claimed for them.
        fail(answeredBefore ? new RealtimeError('OUTCOME_UNKNOWN', { cause: error }) : error)
      })
    }

    /** Settles the patches whose outcome is in an answer, and removes them from the batch. */
    const settleAnswered = (call: WriteCall, answer: WriteAnswer, value: PatchableValue): void => {
      if (answer.verdict === 'base') {
        base = { version: answer.version, value: answer.text === null ? undefined : createPatchableValue(valueOfText(answer.text)) }
      } else if (answer.verdict === 'late') {
        for (const patch of remove(batch, ({ deadline }) => Math.floor(deadline * 1000) < answer.version)) settle(patch, call, answer)
      } else if (answer.author >= 0) {
        answeredBefore = true
        const author = call.authors[answer.author]
        for (const patch of remove(batch, (other) => other.author === author)) settle(patch, call, answer)
      } else {
        if (answer.verdict === 'ok') cache.set(key, { version: answer.version, value })
        // With several patches no writer can compute the value from a base and its own patch: then the base is the new version.
        const text = batch.length > 1 ? String(answer.version) : answer.text
        for (const patch of batch.splice(0)) settle(patch, call, { ...answer, text })
      }
    }

    /** Rejects the remaining patches if a step throws, for example for a value that cannot be merged. */
    const guarded =
      <Args extends unknown[]>(step: (...args: Args) => void) =>
      (...args: Args): void => {
        try {
          step(...args)
        } catch (error) {
          fail(error)
        }
      }

    guarded(attempt)()
  }

  const writeEach = (key: string, batch: Waiting[], onDone: () => void): void => {
    const first = batch.shift()
    if (first === undefined) onDone()
    else writeBatch(key, [first], () => writeEach(key, batch, onDone))
  }

  const callOf = (key: string, batch: readonly Waiting[], base: number, text: string): WriteCall => {
    const [first] = batch
    return {
      key,
      op: 'patch',
      text,
      tail: tailOf(batch, base, text),
      condition: { kind: 'base', version: base },
      // Only a change requested by a single connection may be withheld from that connection.
      writer: batch.length === 1 ? first?.writer : undefined,
      deadline: Math.min(...batch.map((patch) => patch.deadline)),
      authors: batch.flatMap(({ author }) => author ?? []),
      guard: first?.guard,
    }
  }

  /** The patches as one, if possible and smaller than the value; otherwise the value; neither if both are large. */
  const tailOf = (batch: readonly Waiting[], base: number, text: string): string => {
    const composed = batch.reduce<JsonValue | undefined>(
      (all, { patch }) => (all === undefined ? undefined : composePatches(all, patch)),
      {},
    )
    const patch = composed === undefined ? undefined : JSON.stringify(composed)
    if (patch !== undefined && patch.length < text.length && isSmall(patch)) return patchTail(base, patch)
    return isSmall(text) ? valueTail(text) : ''
  }

  return {
    cache,
    write: (request, resolve, reject) => {
      const waiting = { ...request, resolve, reject }
      const queue = queues.get(request.key)
      if (queue !== undefined) return void queue.push(waiting)
      const fresh = [waiting]
      queues.set(request.key, fresh)
      drain(request.key, fresh)
    },
  }
}

const merge = (base: PatchableValue | undefined, patches: readonly PatchRequest[]): PatchableValue =>
  patches.reduce<PatchableValue | undefined>((value, { patch }) => patchedValue(value, patch), base) ?? createPatchableValue({})

/** Why the value may not be stored, if a patch has a check. */
function failureOf(patches: readonly PatchRequest[], text: string): ReturnType<typeof checkFailure> {
  if (patches.every(({ check }) => check === undefined)) return undefined
  const value = parseJson(text)
  return patches.map(({ check }) => checkFailure(check, value)).find((found) => found !== undefined)
}

/** Takes from the front: patches with an author, each author once, or patches without one; the rest stays queued. */
function takeBatch(queue: Waiting[]): Waiting[] {
  const authors = new Set<string | undefined>()
  const numbered = queue[0]?.author !== undefined
  let end = 0
  for (const { author, guard } of queue) {
    const name = author && JSON.stringify([author.user, author.clientId])
    if ((name !== undefined) !== numbered || authors.has(name) || end === MAX_BATCH) break
    if (name !== undefined) authors.add(name)
    if (guard !== undefined && end > 0) break
    end += 1
    if (guard !== undefined) break
  }
  return queue.splice(0, end)
}

function settle(patch: Waiting, call: WriteCall, answer: WriteAnswer): void {
  try {
    patch.resolve(resultOf(call, answer))
  } catch (error) {
    patch.reject(error)
  }
}

/** Removes and returns the matching items of a list. */
function remove<T>(list: T[], fits: (item: T) => boolean): T[] {
  const removed = list.filter(fits)
  const kept = list.filter((item) => !fits(item))
  list.splice(0, list.length, ...kept)
  return removed
}
