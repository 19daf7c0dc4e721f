import { applyPatch, valueOf, type Entry, type JsonValue, type StateUpdate } from '@tutti/protocol'
import { applyChange, mergeChanges, type Change } from './change.ts'

// What a client knows of one key, as plain data and functions from one state to the next: what the server confirmed, and
// the client's own changes that lie on top of it until they are confirmed (S13). No I/O and no time in here, so that every
// interleaving can be tried.

/** A change that went out: its number never changes again (S12). */
export interface SentMutation {
  readonly number: number
  /** The client that sent it, where that was one of an earlier page. */
  readonly clientId?: string
  /** When it went out first, milliseconds since 1970. */
  readonly sentAt: number
  /** What the key holds once a set or update is applied. */
  readonly value?: JsonValue | undefined
  /** The version on whose condition it is applied. */
  readonly ifVersion?: number | undefined
}

/** Hears how a change ended: with nothing, or with the reason why it was refused. */
export type Waiter = (error?: unknown) => void

/** A change of this client that is not confirmed. */
export interface PendingChange {
  readonly change: Change
  /** Not to be sent yet (S16). */
  readonly held: boolean
  /** Everybody whose change went into this one; they share its fate (S14). */
  readonly waiters: readonly Waiter[]
  readonly sent?: SentMutation
  /** The server has it; shown until the entry that includes it is here. */
  readonly acked?: true
}

/** What is known of one key. Immutable. */
export interface KeyState {
  readonly key: string
  /** The newest entry that the server told; `undefined` before the first. */
  readonly confirmed: Entry | undefined
  /** In the order in which they were made; at most the first was sent. */
  readonly pending: readonly PendingChange[]
  /** The newest version heard of without its value, 0 for none. Always newer than `confirmed`: the entry is asked for. */
  readonly wanted: number
  /** Of the versions from `from`, before `until`, all that was written since is in the client's own `version`, or replaced by it. */
  readonly own?: { readonly from: number; readonly until: number; readonly version: number } | undefined
}

/** What an acknowledgement says. */
export interface Acknowledgement {
  version: number
  value?: number
  base?: number
}

/** The state of a key that nothing is known of. */
export const unknownKey = (key: string): KeyState => ({ key, confirmed: undefined, pending: [], wanted: 0 })

/** The value to show: pending changes laid on the confirmed value (S13); `undefined` for an absent key. */
export const shownValue = (state: KeyState): JsonValue | undefined =>
  state.pending.reduce((value, { change }) => applyChange(value, change), confirmedValue(state))

/** The value that the server confirmed. */
export const confirmedValue = ({ confirmed }: KeyState): JsonValue | undefined => confirmed && valueOf(confirmed)

/** Tells whether the server has a newer version than the one that is here. */
export const isBehind = ({ wanted }: KeyState): boolean => wanted > 0

/** Adds a change behind the others, merged into the last where that was not sent yet (S14). */
export function withChange(state: KeyState, added: PendingChange): KeyState {
  return { ...state, pending: appendChange(state.pending, added) }
}

/** The list with a change added. What stands before another change is no longer held, for order would suffer. */
export function appendChange(pending: readonly PendingChange[], added: PendingChange): readonly PendingChange[] {
  const last = pending.at(-1)
  const change = last && !last.sent ? mergeChanges(last.change, added.change) : undefined
  if (last && change) return [...pending.slice(0, -1), { ...added, change, waiters: [...last.waiters, ...added.waiters] }]
  return [...pending.map(released), added]
}

/** Lets every change go out. */
export const withReleased = (state: KeyState): KeyState =>
  state.pending.some(({ held }) => held) ? { ...state, pending: state.pending.map(released) } : state

/** Takes what the server tells: a newer entry, or a patch of the version that is here (S3, S8). */
export function withUpdate(state: KeyState, update: StateUpdate): KeyState {
  if ('patch' in update) {
    if (!isNewer(state, update)) return state
    return withPatch(state, update.patch, update) ?? withWanted(state, update.version)
  }
  const entry = plainEntry(update)
  if (update.reset) return confirm({ ...state, wanted: 0 }, entry)
  return isNewer(state, entry) ? confirm(state, entry) : state
}

/**
 * Takes the answer to a question that was asked in the state `asked`: an entry, or nothing where it is unchanged. It beats
 * what was known when it was asked, even a newer version, but not what came since (S3).
 */
export function withAnswer(state: KeyState, asked: KeyState, answer: Entry | undefined): KeyState {
  const taken = answer && (state.confirmed === asked.confirmed || isNewer(state, answer)) ? confirm(state, plainEntry(answer)) : state
  // The versions heard of before the question are in the answer, or gone from the store.
  if (taken.wanted === 0 || taken.wanted !== asked.wanted) return taken
  return { ...taken, wanted: 0, pending: withoutAcked(taken.pending) }
}

/** The first pending change is confirmed. */
export function withAck(state: KeyState, ack: Acknowledgement): KeyState {
  const [head, ...waiting] = state.pending
  if (!head) return state
  const { version, value = head.sent?.value } = ack
  const next: KeyState = { ...state, own: ownAfter(state, head, ack), pending: waiting }
  if (!isNewer(state, ack)) return next
  if (head.change.op !== 'patch') return confirm(next, entryOf(state.key, version, value))
  const unpatched: KeyState = { ...next, pending: [{ ...head, acked: true, waiters: [] }, ...waiting] }
  return withPatch(next, head.change.patch, ack) ?? withWanted(unpatched, version)
}

/** The confirmed entry with a patch on top; `undefined` where the patch belongs to another version. */
function withPatch(state: KeyState, patch: JsonValue, { version, base }: Acknowledgement): KeyState | undefined {
  if (state.confirmed?.version !== base) return undefined
  return confirm(state, entryOf(state.key, version, applyPatch(confirmedValue(state), patch)))
}

/** A version is known without its value: the entry is to be asked for. */
export const withWanted = (state: KeyState, version: number): KeyState => ({ ...state, wanted: Math.max(state.wanted, version) })

/** What an acknowledgement says of the versions before it. */
function ownAfter(
  { own }: KeyState,
  { change, sent }: PendingChange,
  { version, base = sent?.ifVersion }: Acknowledgement,
): KeyState['own'] {
  // A set without a condition leaves nothing of what others wrote before it.
  if (base === undefined) return change.op === 'set' ? { from: 0, until: version, version } : own
  return { from: own?.version === base ? own.from : base, until: base + 1, version }
}

/** Takes the first pending change back, and that one alone (S13). */
export const withoutHead = (state: KeyState): KeyState => ({ ...state, pending: state.pending.slice(1) })

/**
 * The version to ask for where a change was made on the condition of `version`. A condition means "nobody else wrote", so
 * what one wrote oneself on that version moves it.
 */
export const conditionOf = ({ own }: KeyState, version: number | undefined): number | undefined =>
  own && version !== undefined && version >= own.from && version < own.until ? own.version : version

const released = (item: PendingChange): PendingChange => (item.held ? { ...item, held: false } : item)

const isNewer = ({ confirmed }: KeyState, { version }: { version: number }): boolean => !confirmed || version > confirmed.version

const entryOf = (key: string, version: number, value: JsonValue | undefined): Entry =>
  value === undefined ? { key, version, removed: true } : { key, version, value }

const plainEntry = (entry: Entry): Entry => entryOf(entry.key, entry.version, valueOf(entry))

const withoutAcked = (pending: readonly PendingChange[]): readonly PendingChange[] => (pending[0]?.acked ? pending.slice(1) : pending)

/** The entry is what the server has; versions up to it need not be asked for any more. */
function confirm(state: KeyState, confirmed: Entry): KeyState {
  if (state.wanted > confirmed.version) return { ...state, confirmed }
  return { ...state, confirmed, wanted: 0, pending: withoutAcked(state.pending) }
}
