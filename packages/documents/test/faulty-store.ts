import { RealtimeError } from '@tutti/protocol'
import type { DocumentStore } from '../src/server/index.ts'

/** A store whose calls fail on demand. */
export interface FaultyStore {
  readonly store: DocumentStore
  /** All calls fail, as without a connection. */
  isAway: boolean
  /** Calls that failed because it is away. */
  attempts: number
  /** Writes of these documents are refused. */
  readonly refused: Set<string>
  /** Documents of the last append, also where it failed. */
  readonly tried: readonly string[]
  /** Documents of each append that was stored. */
  readonly appends: string[][]
}

/** Makes one on a store. */
export function createFaultyStore(store: DocumentStore): FaultyStore {
  const refused = new Set<string>()
  const appends: string[][] = []
  let tried: string[] = []
  const pass = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (faulty.isAway) {
      faulty.attempts += 1
      throw new RealtimeError('UNAVAILABLE', { message: 'The database is away.' })
    }
    return call()
  }
  const faulty: FaultyStore = {
    refused,
    appends,
    isAway: false,
    attempts: 0,
    get tried() {
      return tried
    },
    store: {
      ...store,
      create: (document) => pass(() => store.create(document)),
      load: (id) => pass(() => store.load(id)),
      saveSnapshot: (snapshot) => pass(() => store.saveSnapshot(snapshot)),
      append: (batches) => {
        const names = batches.map(({ document }) => document)
        tried = names
        return pass(async () => {
          if (names.some((name) => refused.has(name))) throw new Error('Refused by the database.')
          if (names.length > 0) appends.push(names)
          return store.append(batches)
        })
      },
    },
  }
  return faulty
}
