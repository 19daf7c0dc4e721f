import { applyPatch, type Entry, type JsonValue, type LockBinding, type StateUpdate } from '@tutti/protocol'
import { valueOf } from '@tutti/protocol/internal'
import { applyChange, mergeChanges, type Change } from './change.ts'

// The client's knowledge of one key, as plain data and functions from one state to the next: the entry confirmed by the server,
// and the client's pending changes on top of it (S13). No I/O and no time, so that every interleaving can be tested.

/** A change that was sent: its number never changes again. */
export interface SentMutation {
  readonly number: number
  /** The client that sent it, if that was one of an earlier page. */
  readonly clientId?: string
  /** When it was first sent, milliseconds since 1970. */
  readonly sentAt: number
  /** The value of the key once a set or update is applied. */
  readonly value?: JsonValue | undefined
  /** The version on whose condition it is applied. */
  readonly ifVersion?: number | undefined
}

/** Called with the outcome of a change: nothing, or the reason why it was refused. */
export type Waiter = (error?: unknown) => void

/** A change of this client that is not confirmed. */
export interface PendingChange {
  readonly change: Change
  /** The grant of a lock that it is bound to. */
  readonly lock?: LockBinding | undefined
  /** Not to be sent yet. */
  readonly deferred: boolean
  /** The callers whose changes were merged into this one; all of them receive its outcome. */
  readonly waiters: readonly Waiter[]
  readonly sent?: SentMutation
  /** The server has applied it; shown until the entry that includes it arrives. */
  readonly acked?: true
}

/** What is known of one key. Immutable. */
export interface KeyState {
  readonly key: string
  /** The newest entry that the server sent; `undefined` before the first. */
  readonly confirmed: Entry | undefined
  /** In the order in which they were made; at most the first was sent. */
  readonly pending: readonly PendingChange[]
  /** The newest version that is known without its value, 0 for none. Always newer than `confirmed`: the entry is requested. */
  readonly wanted: number
  /** Of the versions from `from`, before `until`, all that was written since is in the client's own `version`, or replaced by it. */
  readonly own?: { readonly from: number; readonly until: number; readonly version: number } | undefined
}

/** An acknowledgement. */
export interface Acknowledgement {
  version: number
  value?: number
  base?: number
}

/** The state of a key that nothing is known of. */
export const unknownKey = (key: string): KeyState => ({ key, confirmed: undefined, pending: [], wanted: 0 })

/** The value to show: pending changes on top of the confirmed value (S13); `undefined` for an absent key. */
export function withChanges(base: JsonValue | undefined, pending: readonly PendingChange[]): JsonValue | undefined {
  let value = base
  for (const { change } of pending) value = applyChange(value, change)
  return value
}

/**
 * The list with a change added behind the others, merged into the last where that was not sent yet (S14). A change before another
 * one is no longer deferred, because the order must be kept.
 */
export function appendChange(pending: readonly PendingChange[], added: PendingChange): readonly PendingChange[] {
  const last = pending.at(-1)
  const change = last && !last.sent && last.lock === added.lock ? mergeChanges(last.change, added.change) : undefined
  if (last && change) return [...pending.slice(0, -1), { ...added, change, waiters: [...last.waiters, ...added.waiters] }]
  return [...pending.map(released), added]
}

/** Lets every change be sent. */
export const withReleased = (state: KeyState): KeyState =>
  state.pending.some(({ deferred }) => deferred) ? { ...state, pending: state.pending.map(released) } : state

/** Applies an update of the server: a newer entry, or a patch of the confirmed version (S3, S8). */
export function withUpdate(state: KeyState, update: StateUpdate): KeyState {
  const isPatch = 'patch' in update
  if ((isPatch || !update.reset) && !isNewer(state, update)) return state
  if (isPatch) return withPatch(state, update.patch, update) ?? withWanted(state, update.version)
  return confirm(update.reset ? { ...state, wanted: 0 } : state, update.version, valueOf(update))
}

/**
 * Applies the reply to a request for the entry that was sent in the state `before`: an entry, or nothing if it is unchanged. It
 * replaces the entry known at the request, even a newer version, but not later ones (S3).
 */
export function withAnswer(state: KeyState, before: KeyState, entry: Entry | undefined): KeyState {
  const isTaken = entry && (state.confirmed === before.confirmed || isNewer(state, entry))
  const taken = isTaken ? confirm(state, entry.version, valueOf(entry)) : state
  // The versions that were known before the request are in the reply, or gone from the store.
  return taken.wanted === 0 || taken.wanted !== before.wanted ? taken : caughtUp(taken)
}

/** The first pending change is confirmed. */
export function withAck(state: KeyState, ack: Acknowledgement): KeyState {
  const [head, ...waiting] = state.pending
  if (!head) return state
  const next: KeyState = { ...state, own: ownAfter(state, head, ack), pending: waiting }
  if (!isNewer(state, ack)) return next
  if (head.change.op !== 'patch') return confirm(next, ack.version, ack.value ?? head.sent?.value)
  const unpatched: KeyState = { ...next, pending: [{ ...head, acked: true, waiters: [] }, ...waiting] }
  return withPatch(next, head.change.patch, ack) ?? withWanted(unpatched, ack.version)
}

/** The confirmed entry with a patch on top; `undefined` where the patch belongs to another version. */
function withPatch(state: KeyState, patch: JsonValue, { version, base }: Acknowledgement): KeyState | undefined {
  const { confirmed } = state
  return confirmed?.version === base ? confirm(state, version, applyPatch(confirmed && valueOf(confirmed), patch)) : undefined
}

/** A version is known without its value: the entry is to be requested. */
export const withWanted = (state: KeyState, version: number): KeyState => ({ ...state, wanted: Math.max(state.wanted, version) })

/** The versions before an acknowledged one that its condition covers. */
function ownAfter(
  { own }: KeyState,
  { change, sent }: PendingChange,
  { version, base = sent?.ifVersion }: Acknowledgement,
): KeyState['own'] {
  // A set without a condition replaces all that others wrote before it.
  if (base === undefined) return change.op === 'set' ? { from: 0, until: version, version } : own
  return { from: own?.version === base ? own.from : base, until: base + 1, version }
}

/** Reverts the first pending change, and only that one (S13). */
export const withoutHead = (state: KeyState): KeyState => ({ ...state, pending: state.pending.slice(1) })

/**
 * The version to require where a change was made on the condition of `version`. A condition means "no other client wrote", so
 * this client's own writes on that version move it.
 */
export const conditionOf = ({ own }: KeyState, version: number | undefined): number | undefined =>
  own && version !== undefined && version >= own.from && version < own.until ? own.version : version

const released = (item: PendingChange): PendingChange => (item.deferred ? { ...item, deferred: false } : item)

const isNewer = ({ confirmed }: KeyState, { version }: { version: number }): boolean => !confirmed || version > confirmed.version

/** The server has this entry; versions up to it need not be requested any more. */
function confirm(state: KeyState, version: number, value: JsonValue | undefined): KeyState {
  const { key } = state
  const next: KeyState = { ...state, confirmed: value === undefined ? { key, version, removed: true } : { key, version, value } }
  return state.wanted > version ? next : caughtUp(next)
}

/** No newer version is known: an acknowledged change is in the entry. */
const caughtUp = (state: KeyState): KeyState => ({ ...(state.pending[0]?.acked ? withoutHead(state) : state), wanted: 0 })
