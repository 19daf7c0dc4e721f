/** What every value of the benchmark looks like: `n` tells the writes apart, `pad` makes up the size. */
export interface BenchValue {
  n: number
  pad: string
}

/** One connection to an instance, of either side. */
export interface BenchClient {
  /** Settles when the updates of these keys will come. */
  subscribe(keys: readonly string[]): Promise<void>
  /** Settles when the write is acknowledged; rejects where it is refused. */
  write(key: string, value: BenchValue): Promise<void>
  close(): void
}

/** Opens a connection that calls `onUpdate` with the number in each value that the instance sends. */
export type ConnectBenchClient = (url: string, onUpdate: (n: number) => void) => Promise<BenchClient>
