import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const RESET = '/proc/self/clear_refs'
const STATUS = '/proc/self/status'

/** Measures the highest RSS of this process from now on, on Linux. */
export function resetPeak(): void {
  if (existsSync(RESET)) writeFileSync(RESET, '5')
}

/**
 * The highest RSS of this process since `resetPeak`, bytes; elsewhere since its start, in which Node removes the types of all sources:
 * that alone is more than most rows need.
 */
export function peakBytes(): number {
  const [, kilobytes] = existsSync(STATUS) ? (/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8')) ?? []) : []
  return (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes)) * 1024
}
