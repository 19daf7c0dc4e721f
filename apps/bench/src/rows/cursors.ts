import { PRESENCE_FIGURES, type MovesStretch, type PresencePlan } from '../load/presence-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import type { Column, Row } from '../row.ts'

const TUTTI: Column = { label: 'Tutti', side: 'tutti', client: 'tutti' }
/** Broadcasts each move to the room. */
const BROADCAST: Column = { label: 'broadcast', side: 'adapter', client: 'adapter light' }

const createRow = (name: string, count: number, columns: Row['columns']): Row => ({
  name,
  title: `${count} members of one room on 2 instances, each moves its cursor 20 times a second`,
  figures: ['server CPU per second, ms', 'messages per connection and tick', 'from a move until it is shown p99, ms'],
  columns,
  measure: async ({ side: name, client, label }, { size, openSide }) => {
    const [members, seconds] = size === 'full' ? [count, 5] : [6, 0.3]
    const side = await openSide()
    const plan: PresencePlan = { side: name === 'tutti' ? 'tutti' : 'adapter', members }
    await side.openLoad('presence', client, plan)
    await side.step('storm', size === 'full' ? 1 : 0.1)
    const stretch: MovesStretch = { seconds, rate: 20 }
    await side.step('moves', stretch)
    const { result, serverMs } = await side.measure(`cursors ${count} ${label}`, () => side.step('moves', stretch))
    const { perTick, p99Ms } = numbersOf(PRESENCE_FIGURES, result)
    return {
      figures: {
        'server CPU per second, ms': serverMs / seconds,
        'messages per connection and tick': perTick,
        'from a move until it is shown p99, ms': p99Ms,
      },
      deliveries: await side.closeLoad(),
    }
  },
})

/** Cursors beside a control that broadcasts each move. */
export const cursors = createRow('cursors', 40, [BROADCAST, TUTTI])

/** Cursors of many members, which no broadcast delivers in time. */
export const cursorsOf200 = createRow('cursors-of-200', 200, [TUTTI])
