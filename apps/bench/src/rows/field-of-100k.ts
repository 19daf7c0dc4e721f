import { FIELD_FIGURES, type FieldPlan, type FieldStretch } from '../load/field-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { plan: FieldPlan; warmUp: FieldStretch; stretch: FieldStretch }> = {
  full: {
    plan: { subscribers: 10, fields: 1_600, fieldBytes: 50 },
    // The code of both sides is compiled then.
    warmUp: { changes: 2_000, everyMs: 0 },
    stretch: { changes: 200, everyMs: 20 },
  },
  short: {
    plan: { subscribers: 2, fields: 1_600, fieldBytes: 50 },
    warmUp: { changes: 2, everyMs: 0 },
    stretch: { changes: 5, everyMs: 0 },
  },
}

/** One field of a large value: Tutti sends a patch, the controls have none and send the value. */
export const fieldOf100k: Row = {
  name: 'field-of-100k',
  title: 'one field changed of a value of 100 kB, 10 subscribers on 2 instances',
  figures: ['bytes to a subscriber per change', 'server CPU per change, ms', 'Redis CPU per change, ms'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide }) => {
    const { plan, warmUp, stretch } = PLANS[size]
    const side = await openSide()
    await side.openLoad('field', client, plan)
    await side.step('change', warmUp)
    const { result, serverMs, redisMs } = await side.measure(`field-of-100k ${label}`, () => side.step('change', stretch))
    const { changes, bytesPerUpdate } = numbersOf(FIELD_FIGURES, result)
    return {
      figures: {
        'bytes to a subscriber per change': bytesPerUpdate,
        'server CPU per change, ms': serverMs / changes,
        'Redis CPU per change, ms': redisMs / changes,
      },
      deliveries: await side.closeLoad(),
    }
  },
}
