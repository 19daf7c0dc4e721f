import { CLIENT_FIGURES, type ClientPlan, type SetStretch } from '../load/client-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import type { Column, Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { keys: number; warmUp: SetStretch; counted: SetStretch; measured: SetStretch }> = {
  full: { keys: 20, warmUp: { sets: 300 }, counted: { sets: 20 }, measured: { sets: 400 } },
  short: { keys: 3, warmUp: { sets: 2 }, counted: { sets: 5 }, measured: { sets: 10 } },
}

const column = (label: string): Column => ({ label, side: 'tutti', client: 'tutti' })

/** Handles of `@tutti/client` on each key, by column; 0: a bare socket.io-client and `emitWithAck`. */
const HANDLES: Record<string, number> = { 'socket.io-client': 0, '1 handle': 1, '5 handles': 5 }

/** What `@tutti/client` costs its own process. All columns write to the same server. */
export const client: Row = {
  name: 'client',
  title: 'a `set` of @tutti/client and its acknowledgement, in the process of the client',
  figures: ['JSON.stringify calls per set', 'CPU per 1,000 sets, ms'],
  columns: [column('socket.io-client'), column('1 handle'), column('5 handles')],
  measure: async ({ label, client: kind }, { size, openSide }) => {
    const { keys, warmUp, counted, measured } = PLANS[size]
    const side = await openSide()
    await side.openLoad('client', kind, { handles: HANDLES[label] ?? 0, keys } satisfies ClientPlan)
    await side.step('measure', warmUp)
    const texts = numbersOf(CLIENT_FIGURES, await side.step('countTexts', counted))
    const { result } = await side.measure(`client ${label}`, () => side.step('measure', measured))
    const cpu = numbersOf(CLIENT_FIGURES, result)
    return {
      figures: { 'JSON.stringify calls per set': texts.texts / texts.sets, 'CPU per 1,000 sets, ms': (cpu.cpuMs * 1000) / cpu.sets },
      deliveries: await side.closeLoad(),
    }
  },
}
