// Reads vitest's JSON report and prints `N passed, N failed`; a file that failed to load counts as failed.
import { readFileSync } from 'node:fs'

let report
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
} catch {
  report = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, testResults: [] }
}
const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
const skipped = report.numPendingTests ?? 0
const failed = report.numFailedTests + unloaded.length + skipped
if (skipped > 0) console.log(`${skipped} skipped tests count as failed`)
console.log(`${report.numPassedTests} passed, ${failed} failed`)
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0)
