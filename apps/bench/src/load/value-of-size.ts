import type { BenchValue } from '../sides/bench-client.ts'

/** Makes values whose JSON has about so many bytes. */
export function valuesOfSize(bytes: number): (n: number) => BenchValue {
  const pad = 'x'.repeat(Math.max(0, bytes - JSON.stringify({ n: 10_000, pad: '' }).length))
  return (n) => ({ n, pad })
}
