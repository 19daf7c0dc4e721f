import { parseArgs } from 'node:util'
import { startLoad } from './load.ts'
import { runReplay } from './run-replay.ts'
import { runOutage } from './run-outage.ts'
import { runRollingRestart } from './run-rolling-restart.ts'
import { runSlowReader } from './run-slow-reader.ts'

// Costs of faults in memory and time. Each measurement prints its figures beside those of a control.

const write = (text: string): void => void process.stdout.write(`${text}\n`)
const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`

const MEASUREMENTS: Record<string, (seconds: number, records: number) => Promise<void>> = {
  outage: async (seconds) => {
    const load = await startLoad(1)
    const control = await runOutage(load, seconds, false)
    const away = await runOutage(load, seconds, true)
    await load.end()
    for (const [name, result] of Object.entries({ 'Redis stays': control, 'Redis away': away })) {
      write(
        `${name} ${seconds} s: ${megabytes(result.usedBytes)} used, ${result.notifiedClients} of 12 clients notified, in sync ${result.inSyncMs} ms after, ${result.acknowledged} acknowledged, ${result.refused} refused, ${result.violations.length} violations`,
      )
      for (const { rule, key, message } of result.violations.slice(0, 5)) write(`  [${rule}] ${key}: ${message}`)
    }
    write(`${megabytes(away.usedBytes - control.usedBytes)} more than with Redis`)
  },
  'slow-reader': async (seconds) => {
    const control = await runSlowReader(seconds, 'reads')
    for (const reader of ['stalls', 'stalls, without limits'] as const) {
      const { usedBytes, updates, newestMs } = await runSlowReader(seconds, reader)
      write(
        `${reader} ${seconds} s: ${megabytes(usedBytes - control.usedBytes)} more than one that reads, ${updates} updates instead of ${control.updates}, the newest values ${newestMs} ms after it reads again`,
      )
    }
  },
  replay: async (_, records) => {
    for (const count of [1_000, records]) {
      const { usedBytes, bytesRatio, received, seconds, longestReplyMs } = await runReplay(count, 200)
      write(
        `${received} of ${count} missed records of 200 bytes: ${megabytes(usedBytes)} more than before, ${bytesRatio.toFixed(2)} times their bytes, ${seconds.toFixed(1)} s, longest wait for another reply ${Math.round(longestReplyMs)} ms`,
      )
    }
  },
  'rolling-restart': async () => {
    const { acknowledged, wrong, failed, longestGapMs, longestWriteMs } = await runRollingRestart(200)
    write(
      `3 instances restarted under 200 clients: ${acknowledged} changes acknowledged, ${failed} failed, ${wrong.length} keys wrong, longest time without news ${longestGapMs} ms, longest wait for an answer ${longestWriteMs} ms`,
    )
    for (const line of wrong) write(`  ${line}`)
  },
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((part) => part !== '--'),
  options: { seconds: { type: 'string', default: '30' }, records: { type: 'string', default: '1000000' } },
  allowPositionals: true,
})
const names = positionals.length === 0 ? Object.keys(MEASUREMENTS) : positionals
for (const name of names) {
  const measure = MEASUREMENTS[name]
  if (measure === undefined) throw new TypeError(`There is no measurement ${name}: ${Object.keys(MEASUREMENTS).join(', ')}.`)
  await measure(Number(values.seconds), Number(values.records))
}
