import { parseArgs } from 'node:util'
import { DOCUMENT_BUGS, isDocumentBug } from '../planted-bug.ts'
import { runDocuments } from './run-documents.ts'

// `pnpm run faults:documents --schedules 20 --seed 1 --authors 20 --seconds 60 --plant lost-update`

const write = (text: string): void => void process.stdout.write(`${text}\n`)
const string = { type: 'string' } as const
const args = process.argv.slice(2)
const { values } = parseArgs({
  args: args[0] === '--' ? args.slice(1) : args,
  options: { schedules: string, seed: string, authors: string, seconds: string, plant: string },
})
const number = (name: 'schedules' | 'seed' | 'authors' | 'seconds', byDefault: number): number => {
  const value = Number(values[name] ?? byDefault)
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`--${name} must be a whole number from 1, not ${values[name]}.`)
  return value
}
const { plant } = values
if (plant !== undefined && !isDocumentBug(plant)) {
  throw new TypeError(`--plant must be one of ${Object.keys(DOCUMENT_BUGS).join(', ')}, not ${plant}.`)
}
const [schedules, first] = [number('schedules', 20), number('seed', 1)]
const options = { authors: number('authors', 20), seconds: number('seconds', 60), settleMs: 60_000, bug: plant }
write(`${schedules} schedules of ${options.seconds} s, 3 instances, ${options.authors} authors`)
let violations = 0
for (let seed = first; seed < first + schedules; seed += 1) {
  const result = await runDocuments({ ...options, seed })
  violations += result.violations.length
  write(`seed ${seed}: ${result.faults.length} faults, ${result.words} words, ${result.violations.length} violations`)
  for (const violation of result.violations) write(`  ${violation}`)
}
write(`${violations} violations`)
process.exitCode = (plant === undefined) === (violations === 0) ? 0 : 1
