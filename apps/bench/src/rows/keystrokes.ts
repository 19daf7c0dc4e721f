import { KEYSTROKES_FIGURES, type KeystrokesStretch } from '../load/documents/keystrokes-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { documentServerOf, type Column, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { warmUp: KeystrokesStretch; measured: KeystrokesStretch }> = {
  full: { warmUp: { keystrokes: 50, perSecond: 20 }, measured: { keystrokes: 100, perSecond: 10 } },
  short: { warmUp: { keystrokes: 1, perSecond: 20 }, measured: { keystrokes: 5, perSecond: 20 } },
}

const column = (label: string, side: Column['side']): Column => ({ label, side, client: 'tutti' })

/** Instances by column. */
const INSTANCES: Readonly<Record<string, number>> = { 'Hocuspocus, 3 instances': 3, 'Tutti, 3 instances': 3, 'Tutti, 10 instances': 10 }

/** One author, whose keystrokes are shown on each of the other instances. */
export const keystrokes: Row = {
  name: 'keystrokes',
  title: 'one author types 10 characters a second, and one client on each other instance shows them',
  figures: ['shown p50, ms', 'shown p95, ms', 'Redis commands per keystroke', 'Redis bytes per keystroke'],
  columns: [column('Hocuspocus, 3 instances', 'adapter'), column('Tutti, 3 instances', 'tutti'), column('Tutti, 10 instances', 'tutti')],
  measure: async (measuredColumn, { size, openDocuments }) => {
    const { warmUp, measured } = PLANS[size]
    const count = size === 'full' ? (INSTANCES[measuredColumn.label] ?? 3) : 2
    const side = await openDocuments(documentServerOf(measuredColumn), count)
    await side.openLoad('keystrokes', {})
    await side.step('type', warmUp)
    const traffic = async (run: () => Promise<unknown>): Promise<{ commands: number; bytes: number; result: unknown }> => {
      const before = await side.redis.traffic()
      const result = await run()
      const { commands, bytes } = await side.redis.traffic()
      return { commands: commands - before.commands, bytes: bytes - before.bytes, result }
    }
    // Leases and subscriptions cost commands without keystrokes too.
    const idle = await traffic(() => side.step('idle', measured))
    const typed = await traffic(() => side.step('type', measured))
    await side.closeLoad()
    const { shownP50, shownP95, shown } = numbersOf(KEYSTROKES_FIGURES, typed.result)
    return {
      figures: {
        'shown p50, ms': shownP50,
        'shown p95, ms': shownP95,
        'Redis commands per keystroke': (typed.commands - idle.commands) / measured.keystrokes,
        'Redis bytes per keystroke': (typed.bytes - idle.bytes) / measured.keystrokes,
      },
      deliveries: { expected: measured.keystrokes * (count - 1), delivered: shown, doubled: 0 },
    }
  },
}
