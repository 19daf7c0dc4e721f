import type { Observation, Operation } from '@tutti/test-kit'

/** What one client did and saw, as it crosses processes. */
export interface ClientHistory {
  /** Its mutations as they went over the wire, each once however often it was sent. */
  operations: Operation[]
  /** What its handles showed. */
  observations: Observation[]
  /** The increments that the application called for, with what their promises said. */
  calls: Operation[]
}
