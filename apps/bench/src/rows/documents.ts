import { TYPING_FIGURES, type TypingPlan, type TypingStretch } from '../load/documents/typing-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { DOCUMENT_COLUMNS, documentServerOf, NO_DELIVERIES, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { documents: number; warmUp: TypingStretch; measured: TypingStretch }> = {
  full: {
    documents: 20,
    warmUp: { updates: 1_000, updatesPerSecond: 500 },
    measured: { updates: 5_000, updatesPerSecond: 500 },
  },
  short: { documents: 2, warmUp: { updates: 2, updatesPerSecond: 50 }, measured: { updates: 10, updatesPerSecond: 50 } },
}

/** Many documents that change at once. */
export const documents: Row = {
  name: 'documents',
  title: '500 updates a second in 20 documents on one instance, Redis with `appendfsync always`, PostgreSQL',
  figures: [
    ...['ack p50, ms', 'ack p99, ms', 'in the database p50, ms', 'in the database p99, ms', 'updates/s'],
    ...['server CPU per update, ms', 'Redis CPU per update, ms'],
  ],
  columns: DOCUMENT_COLUMNS,
  measure: async (column, { size, openDocuments }) => {
    const { documents: count, warmUp, measured } = PLANS[size]
    const side = await openDocuments(documentServerOf(column), 1)
    await side.openLoad('typing', { documents: count } satisfies TypingPlan)
    await side.step('type', warmUp)
    const { result, serverMs, redisMs } = await side.measure(() => side.step('type', measured))
    await side.closeLoad()
    const { ackP50, ackP99, storedP50, storedP99, perSecond } = numbersOf(TYPING_FIGURES, result)
    return {
      figures: {
        'ack p50, ms': ackP50,
        'ack p99, ms': ackP99,
        'in the database p50, ms': storedP50,
        'in the database p99, ms': storedP99,
        'updates/s': perSecond,
        'server CPU per update, ms': serverMs / measured.updates,
        'Redis CPU per update, ms': redisMs / measured.updates,
      },
      deliveries: NO_DELIVERIES,
    }
  },
}
