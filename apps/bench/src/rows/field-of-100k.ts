import { FIELD_FIGURES, type FieldPlan, type FieldStretch } from '../load/field-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

interface FieldRowPlan {
  plan: FieldPlan
  warmUp: FieldStretch
  /** One turn. */
  stretch: FieldStretch
  turns: number
}

const PLANS: Record<'full' | 'short', FieldRowPlan> = {
  full: {
    plan: { subscribers: 10, fields: 1_600, fieldBytes: 50 },
    // The code of both sides is compiled then.
    warmUp: { changes: 2_000, everyMs: 0 },
    stretch: { changes: 50, everyMs: 20 },
    turns: 8,
  },
  short: {
    plan: { subscribers: 2, fields: 1_600, fieldBytes: 50 },
    warmUp: { changes: 2, everyMs: 0 },
    stretch: { changes: 3, everyMs: 0 },
    turns: 2,
  },
}

/** One field of a large value: Tutti sends a patch, the controls have none and send the value. */
export const fieldOf100k: Row = {
  name: 'field-of-100k',
  title: 'one field changed of a value of 100 kB, 10 subscribers on 2 instances',
  figures: ['bytes to a subscriber per change', 'server CPU per change, ms', 'Redis CPU per change, ms'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, stretch, turns } = PLANS[size]
    const side = await openSide()
    await side.openLoad('field', client, plan)
    await side.step('change', warmUp)
    const stretches = await inTurns(turns, async (turn) => {
      const { result, serverMs, redisMs } = await side.measure(`field-of-100k ${label} ${turn}`, () => side.step('change', stretch))
      return { serverMs, redisMs, bytesPerUpdate: numbersOf(FIELD_FIGURES, result).bytesPerUpdate }
    })
    // Means: of the collections that a value of 100 kB causes, some turns have none.
    const meanOf = (name: 'bytesPerUpdate' | 'serverMs' | 'redisMs'): number =>
      stretches.reduce((sum, figures) => sum + figures[name], 0) / turns
    return {
      figures: {
        'bytes to a subscriber per change': meanOf('bytesPerUpdate'),
        'server CPU per change, ms': meanOf('serverMs') / stretch.changes,
        'Redis CPU per change, ms': meanOf('redisMs') / stretch.changes,
      },
      deliveries: await side.closeLoad(),
    }
  },
}
