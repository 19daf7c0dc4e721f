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
export const PLANTED_BUGS = {
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
      { file: 'server/src/state/connection-cursor.ts', from: '.filter((change) => change.version > sent)', to: '' },
      {
        file: 'client/src/state/key-state.ts',
        from: 'if ((isPatch || !update.reset) && !isNewer(state, update)) return state',
        to: 'if (isPatch && !isNewer(state, update)) return state',
      },
    ],
  },
} as const satisfies Record<string, Bug>

/** The name of a planted bug. */
export type PlantedBug = keyof typeof PLANTED_BUGS

/** Whether it is the name of a planted bug. */
export const isPlantedBug = (name: unknown): name is PlantedBug => typeof name === 'string' && Object.hasOwn(PLANTED_BUGS, name)

/** The source of a file below `packages/` with the bug. Throws if the file has changed and the place is not found. */
export function withBug(bug: PlantedBug, file: string, source: string): string {
  const edits: readonly Edit[] = PLANTED_BUGS[bug].edits
  return edits
    .filter((edit) => edit.file === file)
    .reduce((text, { from, to }) => {
      if (text.split(from).length !== 2) throw new Error(`The bug ${bug} has no place in ${file}: ${from}`)
      return text.replace(from, () => to)
    }, source)
}
