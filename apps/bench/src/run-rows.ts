import { join } from 'node:path'
import type { Deliveries } from './load/load.ts'
import type { Cell, Column, Row, RowSize } from './row.ts'
import { startDocumentSide, type DocumentServer, type DocumentSide } from './sides/documents/document-side.ts'
import { startSide, type Side, type SideOptions } from './sides/side.ts'
import { createTurns, type Turns } from './turns.ts'

/** The rounds of one row: for each round the cell of each column, by its label. */
export interface RowResult {
  row: Row
  rounds: readonly ReadonlyMap<string, Cell>[]
}

/** How rows are run. */
export interface RunOptions {
  rounds: number
  size?: RowSize
  /** Folder for CPU profiles of Tutti's instances and their clients. */
  profileFolder?: string | undefined
  /** Called before each cell. */
  onCell?: (row: Row, round: number, column: Column) => void
  /**
   * Starts a side for a cell, and reports whether it ends with the cell. Default: a new one for each cell, so that no cell
   * benefits from the warm-up, or suffers from the memory, of the one before.
   */
  openSide?: OpenSide
  /** The same for instances with documents. */
  openDocuments?: OpenDocuments
}

/** Starts a side, or returns one that runs. */
export type OpenSide = (column: Column, options: SideOptions) => Promise<{ side: Side; endsWithCell: boolean }>

/** Starts instances with documents, or returns some that run. */
export type OpenDocuments = (server: DocumentServer, instances: number) => Promise<{ side: DocumentSide; endsWithCell: boolean }>

const openFreshDocuments: OpenDocuments = async (server, instances) => ({
  side: await startDocumentSide(server, instances),
  endsWithCell: true,
})

const openFresh: OpenSide = async ({ side }, options) => ({ side: await startSide(side, options), endsWithCell: true })

/** Runs a row: all columns in each round, in an order that alternates, one at a time and in turns where the row wants that. */
export async function runRow(
  row: Row,
  { rounds, size = 'full', profileFolder, onCell, openSide = openFresh, openDocuments = openFreshDocuments }: RunOptions,
): Promise<RowResult> {
  const results: Map<string, Cell>[] = []
  const count = Math.min(rounds, row.maxRounds ?? rounds)
  const folder = profileFolder === undefined ? undefined : join(profileFolder, row.name)
  while (results.length < count) {
    const round = results.length + 1
    const order = round % 2 === 1 ? row.columns : row.columns.toReversed()
    const turns = createTurns()
    const cells = order.map(async (column): Promise<[string, Cell]> => {
      await turns.begin()
      onCell?.(row, round, column)
      return [column.label, await runCell(row, column, { size, folder, openSide, openDocuments, turns }).finally(turns.end)]
    })
    // The others stop their processes before an error is thrown.
    await Promise.allSettled(cells)
    results.push(new Map(await Promise.all(cells)))
  }
  return { row, rounds: results }
}

interface CellOptions {
  size: RowSize
  folder: string | undefined
  openSide: OpenSide
  openDocuments: OpenDocuments
  turns: Turns
}

async function runCell(row: Row, column: Column, { size, folder, openSide, openDocuments, turns }: CellOptions): Promise<Cell> {
  const started: { stop(): Promise<void> }[] = []
  try {
    return await row.measure(column, {
      size,
      inTurns: async (times, run) => {
        const results = []
        for (let turn = 0; turn < times; turn += 1) {
          turns.end()
          await turns.begin()
          results.push(await run(turn))
        }
        return results
      },
      openSide: async (options = {}) => {
        const { side, endsWithCell } = await openSide(column, { ...options, profileFolder: folder })
        if (endsWithCell) started.push(side)
        return side
      },
      openDocuments: async (server, instances) => {
        const { side, endsWithCell } = await openDocuments(server, instances)
        if (endsWithCell) started.push(side)
        return side
      },
    })
  } finally {
    await Promise.all(started.map((side) => side.stop()))
  }
}

/** All deliveries of the rows, together. */
export function totalDeliveries(results: readonly RowResult[]): Deliveries {
  const cells = results.flatMap(({ rounds }) => rounds.flatMap((round) => [...round.values()]))
  const sum = (name: keyof Deliveries): number => cells.reduce((total, { deliveries }) => total + deliveries[name], 0)
  return { expected: sum('expected'), delivered: sum('delivered'), doubled: sum('doubled') }
}
