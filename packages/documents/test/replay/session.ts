import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** At a position, so many characters are replaced by a text. */
type Patch = readonly [position: number, deleted: number, inserted: string]

/** Some edits of one author, made on the text as its parents left it. */
export interface Transaction {
  readonly agent: number
  /** Indexes of earlier transactions that the author had received. */
  readonly parents: readonly number[]
  readonly patches: readonly Patch[]
}

/** A recorded editing session. */
export interface Session {
  readonly agents: number
  readonly startContent: string
  readonly endContent: string
  readonly transactions: readonly Transaction[]
}

/** A file of the collection editing-traces: of one author, or `concurrent`. */
interface Recorded {
  readonly kind?: 'concurrent'
  readonly numAgents?: number
  readonly startContent?: string
  readonly endContent: string
  readonly txns: readonly (Partial<Transaction> & Pick<Transaction, 'patches'>)[]
}

/** Reads a session, `.json` or `.json.gz`. */
export function readSession(path: string | URL): Session {
  const bytes = readFileSync(path)
  const recorded = JSON.parse((String(path).endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as Recorded
  return {
    agents: recorded.numAgents ?? 1,
    startContent: recorded.startContent ?? '',
    endContent: recorded.endContent,
    transactions: recorded.txns.map(({ agent = 0, parents, patches }, index) => ({
      agent,
      parents: parents ?? (index === 0 ? [] : [index - 1]),
      patches,
    })),
  }
}
