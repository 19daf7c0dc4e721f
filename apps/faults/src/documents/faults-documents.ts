import { parseArgs } from 'node:util'
import { DOCUMENT_BUGS, isDocumentBug } from '../planted-bug.ts'
import { runDocuments } from './run-documents.ts'
import { runSingleInstance } from './run-single-instance.ts'

// `pnpm run faults:documents --schedules 20 --seed 1 --authors 20 --seconds 60 --away 20 --plant lost-update`, or with `--single`

const write = (text: string): void => void process.stdout.write(`${text}\n`)
const string = { type: 'string' } as const
const args = process.argv.slice(2)
const { values } = parseArgs({
  args: args[0] === '--' ? args.slice(1) : args,
  options: { schedules: string, seed: string, authors: string, seconds: string, away: string, plant: string, single: { type: 'boolean' } },
})
const number = (name: 'schedules' | 'seed' | 'authors' | 'seconds' | 'away', byDefault: number, least = 1): number => {
  const value = Number(values[name] ?? byDefault)
  if (!Number.isSafeInteger(value) || value < least)
    throw new TypeError(`--${name} must be a whole number from ${least}, not ${values[name]}.`)
  return value
}
const { plant, single = false } = values
if (plant !== undefined && !isDocumentBug(plant)) {
  throw new TypeError(`--plant must be one of ${Object.keys(DOCUMENT_BUGS).join(', ')}, not ${plant}.`)
}
const [schedules, first] = [number('schedules', 20), number('seed', 1)]
const seconds = number('seconds', 60)
const awaySeconds = number('away', Math.floor(seconds / 3), 0)
const options = { authors: number('authors', 20), seconds, awaySeconds, settleMs: 60_000, bug: plant }
const topology = single ? 'one instance on PGlite' : `3 instances, ${awaySeconds} s without the database`
write(`${schedules} schedules of ${seconds} s, ${topology}, ${options.authors} authors`)
let violations = 0
for (let seed = first; seed < first + schedules; seed += 1) {
  const result = await (single ? runSingleInstance : runDocuments)({ ...options, seed })
  violations += result.violations.length
  write(`seed ${seed}: ${result.faults.length} faults, ${result.words} words, ${result.violations.length} violations`)
  for (const violation of result.violations) write(`  ${violation}`)
}
write(`${violations} violations`)
process.exitCode = (plant === undefined) === (violations === 0) ? 0 : 1
