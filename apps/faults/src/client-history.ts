import type { Observation, Operation } from '@tutti/test-kit'

/** The operations and observations of one client, as sent between processes. */
export interface ClientHistory {
  /** Its mutations as sent, each once regardless of repetitions. */
  operations: Operation[]
  /** The entries shown by its handles. */
  observations: Observation[]
  /** The increments called by the application, with the results of their promises. */
  calls: Operation[]
}
