/** A place in the source, and its replacement. */
export interface Edit {
  /** Below `packages/`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A bug that can be planted, to verify that the checks find it. */
export interface Bug {
  readonly effect: string
  readonly edits: readonly Edit[]
}

/** The bugs. Each removes the line that ensures one guarantee. */
export const STATE_BUGS = {
  twice: {
    effect: 'a mutation that is repeated after a lost reply is applied again',
    edits: [
      {
        file: 'storage-driver/src/redis/write-script.ts',
        from: 'if number == tonumber(last) then return',
        to: 'if false then return',
      },
    ],
  },
  'no-repair': {
    effect: 'instances ignore gaps in their notifications',
    edits: [{ file: 'server/src/state/state-feature.ts', from: 'store.onGap(() => void delivery.repair())', to: '() => {}' }],
  },
  'any-version': {
    effect: 'instances and clients apply changes without comparing versions',
    edits: [
      { file: 'server/src/state/key-subscription.ts', from: 'if (version <= this.streamVersion) return undefined\n', to: '' },
      { file: 'server/src/state/connection-cursor.ts', from: 'if (cursor.sent >= change.version) excluded.push(id)', to: '' },
      { file: 'server/src/state/connection-cursor.ts', from: '?.filter((change) => change.version > sent)', to: '' },
      {
        file: 'client/src/state/key-state.ts',
        from: 'if ((isPatch || !update.reset) && !isNewer(state, update)) return state',
        to: 'if (isPatch && !isNewer(state, update)) return state',
      },
    ],
  },
} as const satisfies Record<string, Bug>

/** The bugs of presence, for its runs. */
export const PRESENCE_BUGS = {
  'silent-sweep': {
    effect: 'the removal of the members of a dead instance is not announced',
    edits: [
      {
        file: 'coordination/src/redis/member-scripts.ts',
        from: "if kind == 'l' then lines = lines .. '\\\\nx ' .. id end",
        to: '',
      },
    ],
  },
  'no-sweep': {
    effect: 'the members of a dead instance are not removed',
    edits: [
      { file: 'coordination/src/redis-coordination.ts', from: 'onClaim: (leases) => sweeper.sweep(leases),', to: 'onClaim: () => {},' },
    ],
  },
  'no-grace': {
    effect: 'a member leaves as soon as its connection is closed',
    edits: [{ file: 'coordination/src/redis/own-members.ts', from: 'if (!member.isStable) return leave()', to: 'return leave()' }],
  },
  'no-quiet': {
    effect: 'leases end although Redis had lost its data a moment ago, and members that a read does not find are gone at once',
    edits: [
      {
        file: 'coordination/src/redis/missing-members.ts',
        from: 'setTimeout(expire, leaseMs)',
        to: 'setTimeout(() => { timers.delete(id); onGone(id) }, 0)',
      },
      { file: 'coordination/src/redis/lease-script.ts', from: 'if quietMs <= 0 then', to: 'if true then' },
    ],
  },
} as const satisfies Record<string, Bug>

/** The bugs of durable channels, for their runs. */
export const DURABLE_BUGS = {
  'no-read': {
    effect: 'an instance that lost a notification does not read the log',
    edits: [
      {
        file: 'server/src/durable/durable-channel.ts',
        from: 'previous === position.offset && json !== undefined',
        to: 'json !== undefined',
      },
      {
        file: 'server/src/durable/durable-channels.ts',
        from: 'const stopGap = logs.onGap(() => void checkAll())',
        to: 'const stopGap = () => {}',
      },
    ],
  },
  'no-ids': {
    effect: 'an event that is sent again is appended again',
    edits: [
      {
        file: 'coordination/src/logs/redis/ids-script.ts',
        from: 'if call(unpack(list)) == runs then return list end',
        to: 'if call(unpack(list)) then return list end',
      },
    ],
  },
} as const satisfies Record<string, Bug>

/** The bugs of locks, for their runs. */
export const LOCK_BUGS = {
  'any-owner': {
    effect: 'a lock is granted although another client has it',
    edits: [
      {
        file: 'coordination/src/redis/locks/lock-scripts.ts',
        from: 'if isFree or holder == owner then',
        to: 'if isFree or true then',
      },
    ],
  },
  'no-fence': {
    effect: 'a write that is bound to a grant is applied after its end',
    edits: [
      {
        file: 'storage-driver/src/redis/write-script.ts',
        from: "if not isLocked or token ~= boundTo then return refuse('lost') end",
        to: '',
      },
    ],
  },
  'last-first': {
    effect: 'the newest request in the queue is granted first',
    edits: [{ file: 'coordination/src/redis/locks/lock-scripts.ts', from: "call('LPOP', at.waiting)", to: "call('RPOP', at.waiting)" }],
  },
  'no-lock-sweep': {
    effect: 'the locks of a dead instance do not end',
    edits: [
      {
        file: 'coordination/src/redis/locks/lock-scripts.ts',
        from: "if mode == 'sweep' then isOver = kind == 'o' and lease == first end",
        to: '',
      },
    ],
  },
} as const satisfies Record<string, Bug>

/** The bugs of documents, for their runs. */
export const DOCUMENT_BUGS = {
  'lost-update': {
    effect: 'some updates are acknowledged without being in the log',
    edits: [
      {
        file: 'documents/src/live-document.ts',
        from: 'append: (update, author) => log.append(update, author),',
        to: 'append: async (update, author) => (update.length % 4 === 0 ? position : log.append(update, author)),',
      },
    ],
  },
} as const satisfies Record<string, Bug>

/** The name of a planted bug of documents. */
export type DocumentBug = keyof typeof DOCUMENT_BUGS

/** The name of a planted bug of locks. */
export type LockBug = keyof typeof LOCK_BUGS

/** The name of a planted bug of durable channels. */
export type DurableBug = keyof typeof DURABLE_BUGS

/** The name of a planted bug of state. */
export type StateBug = keyof typeof STATE_BUGS

/** The name of a planted bug of presence. */
export type PresenceBug = keyof typeof PRESENCE_BUGS

/** The name of a planted bug. */
export type PlantedBug = StateBug | PresenceBug | DurableBug | LockBug | DocumentBug

/** Whether it is the name of a planted bug of state. */
export const isStateBug = (name: unknown): name is StateBug => typeof name === 'string' && Object.hasOwn(STATE_BUGS, name)

/** Whether it is the name of a planted bug of presence. */
export const isPresenceBug = (name: unknown): name is PresenceBug => typeof name === 'string' && Object.hasOwn(PRESENCE_BUGS, name)

/** Whether it is the name of a planted bug of durable channels. */
export const isDurableBug = (name: unknown): name is DurableBug => typeof name === 'string' && Object.hasOwn(DURABLE_BUGS, name)

/** Whether it is the name of a planted bug of documents. */
export const isDocumentBug = (name: unknown): name is DocumentBug => typeof name === 'string' && Object.hasOwn(DOCUMENT_BUGS, name)

/** Whether it is the name of a planted bug of locks. */
export const isLockBug = (name: unknown): name is LockBug => typeof name === 'string' && Object.hasOwn(LOCK_BUGS, name)

const ALL: Record<PlantedBug, Bug> = { ...STATE_BUGS, ...PRESENCE_BUGS, ...DURABLE_BUGS, ...LOCK_BUGS, ...DOCUMENT_BUGS }

/** Whether it is the name of a planted bug. */
export const isPlantedBug = (name: unknown): name is PlantedBug => typeof name === 'string' && Object.hasOwn(ALL, name)

/** The source of a file below `packages/` with the bug. Throws if the file has changed and the place is not found. */
export function withBug(bug: PlantedBug, file: string, source: string): string {
  const { edits } = ALL[bug]
  return edits
    .filter((edit) => edit.file === file)
    .reduce((text, { from, to }) => {
      if (text.split(from).length !== 2) throw new Error(`The bug ${bug} has no place in ${file}: ${from}`)
      return text.replace(from, () => to)
    }, source)
}
