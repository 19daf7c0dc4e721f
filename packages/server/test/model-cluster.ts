import { RealtimeError, type Entry, type EntryPage, type ErrorCode, type NoticeName, type Notices, type Reply } from '@tutti/protocol'
import { isAbsent } from '@tutti/protocol/internal'
import type { Mutation, StateChange, StateStore, WriteResult } from '@tutti/storage-driver/contract'
import { createAccessControl, type AccessControl, type ConnectionAccess } from '../src/authorization/access-control.ts'
import { createAuditTrail } from '../src/authorization/audit-log.ts'
import type { Authorize, User } from '../src/authorization/authorize.ts'
import { runRequest } from '../src/connection/run-request.ts'
import type { Connection, Requester } from '../src/connection/connection.ts'
import { createFanOut } from '../src/connection/fan-out.ts'
import type { Notice } from '../src/connection/notice.ts'
import { createRooms, type Rooms } from '../src/connection/rooms.ts'
import type { Core } from '../src/feature.ts'
import type { Handler } from '../src/connection/handler.ts'
import { createRequestLimits } from '../src/connection/request-limits.ts'

type Listener = (change: StateChange) => void

const notUsed = (): never => {
  throw new Error('not part of this model')
}

/**
 * A store whose replies and announcements are delivered by the test: writes take effect at once and in one order, each read
 * returns the state at its request, and both arrive later: changes in their order, replies in any.
 */
export class ModelStore implements StateStore {
  readonly entries = new Map<string, Entry>()
  /** The keys of each read so far. */
  readonly asked: string[][] = []
  /** Everything that was ever written. */
  readonly committed: { key: string; version: number; writer: string | undefined }[] = []
  private readonly changes: StateChange[] = []
  private readonly answers: (() => void)[] = []
  /** The error that each writer receives instead of its version, although the write is applied. */
  failure: Error | undefined
  /** The answers of writes are lost before they happen. */
  late = false
  /** Writes are reported as patches that were applied together with those of others. */
  together = false
  /** Reads fail from now on, so. */
  away: false | ErrorCode = false
  /** Keys that can never be read. */
  readonly refused = new Set<string>()
  private readonly listeners = new Set<Listener>()
  private readonly gapListeners = new Set<() => void>()
  /** Entries of a page at most. */
  pageSize = 1_000
  /** The number of requested pages. */
  listings = 0
  private clock = 0

  commit(key: string, change: Pick<StateChange, 'value' | 'removed' | 'writer'>, { large = false } = {}): number {
    const version = ++this.clock
    const { value, removed, writer } = change
    this.committed.push({ key, version, writer })
    this.entries.set(key, removed === true ? { key, version, removed } : { key, version, value: value ?? null })
    this.changes.push({
      key,
      version,
      ...(removed === true ? { removed } : large ? {} : { value: value ?? null }),
      ...(writer === undefined ? {} : { writer }),
    })
    return version
  }

  read(keys: readonly string[]): Promise<Entry[]> {
    this.asked.push([...keys])
    const seen = keys.map((key): Entry => this.entries.get(key) ?? { key, version: 0, removed: true })
    return new Promise((resolve, reject) => {
      const code = this.away || (keys.some((key) => this.refused.has(key)) && 'WRONG_TYPE')
      this.answers.push(() => (code === false ? resolve(seen) : reject(new RealtimeError(code))))
    })
  }

  /** A page, as of its request. */
  list(prefix: string, after = ''): Promise<EntryPage> {
    const below = [...this.entries.values()].filter((entry) => !isAbsent(entry) && entry.key.startsWith(prefix) && entry.key > after)
    const entries = below.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, this.pageSize)
    const last = entries.length < this.pageSize ? undefined : entries.at(-1)?.key
    const page = last === undefined ? { entries } : { entries, after: last }
    this.listings += 1
    return new Promise((resolve, reject) => {
      const { away } = this
      this.answers.push(() => (away === false ? resolve(page) : reject(new RealtimeError(away))))
    })
  }

  /** Delivers the next change; false if there is none. */
  announceNext(): boolean {
    const change = this.changes.shift()
    if (change === undefined) return false
    for (const listener of this.listeners) listener(change)
    return true
  }

  /** Loses the next change. */
  loseNext(): void {
    this.changes.shift()
  }

  /** A read is answered, the oldest unless `choose` names another; false when all were. */
  answerNext(choose: (count: number) => number = () => 0): boolean {
    const [read] = this.answers.splice(choose(this.answers.length), 1)
    read?.()
    return read !== undefined
  }

  onChange(listener: Listener): (() => void) & { ready: Promise<void> } {
    this.listeners.add(listener)
    return Object.assign(() => void this.listeners.delete(listener), { ready: Promise.resolve() })
  }

  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener)
    return () => void this.gapListeners.delete(listener)
  }

  /** Something may have been missed. */
  tellGap(): void {
    for (const listener of this.gapListeners) listener()
  }

  write(mutation: Mutation): Promise<WriteResult> {
    if (mutation.op !== 'set' && mutation.op !== 'remove') return notUsed()
    const { key, writer } = mutation
    if (this.late) return new Promise((_, reject) => this.answers.push(() => reject(new RealtimeError('OUTCOME_UNKNOWN'))))
    const { failure, together } = this
    const change = mutation.op === 'set' ? { value: mutation.value } : ({ removed: true } as const)
    const version = this.commit(key, { ...change, ...(writer === undefined || together ? {} : { writer }) })
    const result = together ? { version, base: version } : { version }
    return new Promise((resolve, reject) => this.answers.push(() => (failure === undefined ? resolve(result) : reject(failure))))
  }

  now = () => this.clock
  readChanged = notUsed
  touch = notUsed
  reindex = notUsed
  dispose = (): Promise<void> => Promise.resolve()
}

const audit = createAuditTrail({ onAudit: undefined, auditAllowed: false, onError: () => {} })

const modelLimits = () =>
  createRequestLimits({
    mutationsPerSecond: 1e9,
    eventsPerSecond: 1e9,
    presencePerSecond: 1e9,
    requestsPerSecond: 1e9,
    maxRequestsInFlight: 1e9,
  })

/** Connections without a network. */
export function createModelCore(authorize?: Authorize): {
  core: Core
  entrances: ConnectionAccess<User>
  connect: (id: string) => ModelConnection
} {
  const entrances = createAccessControl<User>(authorize, audit)
  const rooms = createRooms()
  return {
    core: {
      instanceId: 'model',
      limits: { maxPayloadBytes: 1_000_000, maxKeysPerMessage: 100, maxSubscriptions: 100 },
      access: entrances,
      audit,
      requests: modelLimits(),
      backlog: { maxPackets: 1, maxBytes: 1 },
      schema: {},
      pubsub: undefined,
      coordination: undefined,
      onError: (error) => {
        throw error
      },
      fanOut: createFanOut(rooms),
    },
    entrances,
    connect: (id) => {
      const connection = new ModelConnection(id, rooms, authorize === undefined ? '' : id, entrances)
      entrances.open(connection, { id })
      return connection
    },
  }
}

/** A queue that the test fills and empties. */
class ModelBacklog {
  isFull = false
  private waiting: (() => void) | undefined

  afterDrain(run: () => void): void {
    this.waiting = run
  }

  /** The connection reads again. */
  drain(): void {
    this.isFull = false
    const run = this.waiting
    this.waiting = undefined
    run?.()
  }
}

/** A connection that remembers what it was sent. */
export class ModelConnection implements Requester {
  readonly id: string
  readonly user: string
  readonly address = ''
  readonly clientId: string | undefined
  connected = true
  openedAt = Math.floor(performance.now())
  requestsInFlight = 0
  readonly received: { name: NoticeName | 'reply'; payload: unknown }[] = []
  readonly subscriptions: Connection['subscriptions']
  readonly backlog = new ModelBacklog()
  private readonly rooms: Rooms
  private readonly access: AccessControl

  constructor(id: string, rooms: Rooms, user = '', access: AccessControl = createAccessControl(undefined, audit)) {
    this.id = id
    this.access = access
    this.user = user
    this.clientId = id
    this.rooms = rooms
    this.join(id)
    const held = new Set<string>()
    let deletions = 0
    this.subscriptions = {
      add: (names) => {
        const added = names.filter((name) => !held.has(name))
        for (const name of added) held.add(name)
        return added
      },
      has: (name) => held.has(name),
      delete: (name) => {
        deletions += 1
        held.delete(name)
      },
      get deletions() {
        return deletions
      },
      all: held,
    }
  }

  send<Name extends NoticeName>(name: Name, payload: Notices[Name]): void {
    this.received.push({ name, payload })
  }

  deliver({ name, payload }: Notice<NoticeName>): void {
    this.send(name, payload)
  }

  end(): void {
    this.connected = false
  }

  disconnect(): void {
    this.end()
  }

  join(room: string): void {
    this.rooms.join(room, this)
  }

  leave(room: string): void {
    this.rooms.leave(room, this)
  }

  /** Sends a message through the wrapper that real sockets use; the reply is remembered in its place among the rest. */
  request(handler: Handler, message: unknown, onError: Core['onError']): void {
    const acknowledge = (payload: Reply): void => void this.received.push({ name: 'reply', payload })
    runRequest(handler, this, message, acknowledge, { access: this.access, requests: modelLimits(), onError })
  }
}
