/** The value of a small write: `n` identifies the write, `pad` makes up the size. */
export interface BenchValue {
  n: number
  pad: string
}

/** Makes values whose JSON has about so many bytes. */
export function valuesOfSize(bytes: number): (n: number) => BenchValue {
  const pad = 'x'.repeat(Math.max(0, bytes - JSON.stringify({ n: 10_000, pad: '' }).length))
  return (n) => ({ n, pad })
}

/** What a client of the benchmark requests, on any side. */
export type BenchRequest =
  | { kind: 'subscribe'; keys: readonly string[] }
  | { kind: 'set'; key: string; value: object }
  /** One field of a value: `patch` where the side can send a patch, else the whole `value`. */
  | { kind: 'change'; key: string; patch: object; value: object }

/** One connection to an instance, of any side. */
export interface BenchClient {
  /** Settles with the acknowledgement; rejects if the request is refused. `n` of each value that the reply carries. */
  request(request: BenchRequest): Promise<number[]>
  close(): void
}

/** What a connection reports. */
export interface BenchListener {
  /** An update arrived: the `n` of its value and the bytes of its message. */
  onUpdate(n: number, bytes: number): void
  /** The connection was closed, by either end. */
  onClose?(): void
}

/** Opens a connection. */
export type ConnectBenchClient = (url: string, listener: BenchListener) => Promise<BenchClient>

/** `n` of each value in a JSON text. Nothing else in the messages of the benchmark has this name. */
export function numbersIn(text: string): number[] {
  const numbers: number[] = []
  for (let at = text.indexOf('"n":'); at >= 0; at = text.indexOf('"n":', at + 4))
    numbers.push(Number.parseInt(text.slice(at + 4, at + 20), 10))
  return numbers
}
