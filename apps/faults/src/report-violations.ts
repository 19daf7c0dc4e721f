const SHOWN = 12

/** A rule that a run has broken. */
interface Violation {
  readonly rule: string
  readonly message: string
}

/** Writes the first violations, and the number of the others. */
export function writeViolations(violations: readonly Violation[]): void {
  for (const { rule, message } of violations.slice(0, SHOWN)) process.stdout.write(`  [${rule}] ${message}\n`)
  if (violations.length > SHOWN) process.stdout.write(`  and ${violations.length - SHOWN} more\n`)
}

/** Writes the violations. Returns whether the result is as expected: none, or, with a planted bug, at least one. */
export function reportViolations(violations: readonly Violation[], plant: string | undefined): boolean {
  writeViolations(violations)
  return (plant === undefined) === (violations.length === 0)
}
