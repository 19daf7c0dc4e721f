/** A job: `long` ones run for three times the visibility, `poison` ones fail. */
export interface Job {
  readonly number: number
  readonly kind: 'short' | 'long' | 'poison'
}

/** What a handler did. */
export interface TraceEntry {
  readonly number: number
  readonly attempt: number
  readonly pid: number
  readonly atMs: number
  readonly event: 'start' | 'failure' | 'done'
}

/** A process that was killed. */
export interface Death {
  readonly pid: number
  readonly atMs: number
}
