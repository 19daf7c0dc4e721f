/** Who connects, and what is written. */
export interface LoadPlan {
  /** Connections to each of the two instances. */
  connections: number
  /** Keys in use. Each is written by one connection and watched by one on the other instance. */
  keys: number
  /** About how long a value is as JSON, bytes. */
  valueBytes: number
}

/** One stretch of writing. */
export interface LoadPhase {
  seconds: number
  /** Writes a second over all, whether acknowledged or not; 0: each connection writes again when its last write is acknowledged. */
  rate: number
  /** Ends the phase sooner. */
  maxWrites?: number
}

/** What the load generator saw in a phase. Every value tells its write, so that none can be counted for another. */
export const LOAD_FIGURES = ['sent', 'acked', 'delivered', 'doubled', 'elapsedMs', 'p50Ms', 'p99Ms', 'cpuMs'] as const

/** `sent`, `acked`, `delivered` (once each) and `doubled` are counts of writes; the latencies are from write to update. */
export type LoadFigures = Record<(typeof LOAD_FIGURES)[number], number>
