import type { Deliveries } from './load/load.ts'
import type { ClientName } from './sides/clients.ts'
import type { DocumentServer, DocumentSide } from './sides/documents/document-side.ts'
import type { Side, SideName, SideOptions } from './sides/side.ts'

/** The full measurement, or the short form that the tests run. */
export type RowSize = 'full' | 'short'

/** One column of a row's table: the measured side and client. */
export interface Column {
  label: string
  side: SideName
  client: ClientName
}

/** The result of a cell: a number for each figure of its row, and its deliveries. */
export interface Cell {
  figures: Readonly<Record<string, number>>
  deliveries: Deliveries
}

/** The resources of a cell. */
export interface CellContext {
  size: RowSize
  /** Starts the side of the column. It is stopped after the cell. */
  openSide(options?: Pick<SideOptions, 'proxied'>): Promise<Side>
  /** The same for so many instances with documents. */
  openDocuments(server: DocumentServer, instances: number): Promise<DocumentSide>
  /**
   * Runs something several times, in turns with the other cells of the round: all have begun before the first turn, and only
   * one works at a time. All cells of a row must have as many turns. Returns the results in order.
   */
  inTurns<T>(times: number, run: (turn: number) => Promise<T>): Promise<T[]>
}

/** A measurement: its figures, the columns that it compares, and how one cell is measured. */
export interface Row {
  name: string
  /** What is measured, for the heading of the table. */
  title: string
  /** Names of the figures, in the order of the table. */
  figures: readonly string[]
  /** The first column is the base of comparison for the others. */
  columns: readonly [Column, ...Column[]]
  /** Maximum rounds, for rows in which more rounds add no information. */
  maxRounds?: number
  measure(column: Column, context: CellContext): Promise<Cell>
}

const RELAY: Column = { label: 'relay', side: 'relay', client: 'relay' }

/** The three sides, all with the client that parses no more than it needs. */
export const SIDE_COLUMNS = [
  RELAY,
  { label: 'Tutti', side: 'tutti', client: 'tutti light' },
  { label: 'adapter', side: 'adapter', client: 'adapter light' },
] as const satisfies readonly Column[]

/** Hocuspocus with its Redis extension, and Tutti. */
export const DOCUMENT_COLUMNS = [
  { label: 'Hocuspocus', side: 'adapter', client: 'adapter light' },
  { label: 'Tutti', side: 'tutti', client: 'tutti' },
] as const satisfies readonly Column[]

/** The server of documents of a column. */
export const documentServerOf = ({ side }: Column): DocumentServer => (side === 'tutti' ? 'tutti' : 'hocuspocus')

/** Of rows that count none. */
export const NO_DELIVERIES: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
