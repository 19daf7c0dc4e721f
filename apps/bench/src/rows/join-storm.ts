import { PRESENCE_FIGURES, type PresencePlan } from '../load/presence-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import type { Row } from '../row.ts'

/** Many members join one room, and each observes it. */
export const joinStorm: Row = {
  name: 'join-storm',
  title: '1,000 members join one room on 2 instances within 2 s',
  figures: ['server CPU, ms', 'messages to all members', 'messages per connection and tick', 'until each shows all, ms'],
  columns: [{ label: 'Tutti', side: 'tutti', client: 'tutti' }],
  measure: async ({ client, label }, { size, openSide }) => {
    const [members, seconds] = size === 'full' ? [1_000, 2] : [10, 0.1]
    const side = await openSide()
    const plan: PresencePlan = { side: 'tutti', members }
    await side.openLoad('presence', client, plan)
    const { result, serverMs } = await side.measure(`join-storm ${label}`, () => side.step('storm', seconds))
    const { messages, perTick, elapsedMs } = numbersOf(PRESENCE_FIGURES, result)
    return {
      figures: {
        'server CPU, ms': serverMs,
        'messages to all members': messages,
        'messages per connection and tick': perTick,
        'until each shows all, ms': elapsedMs,
      },
      deliveries: await side.closeLoad(),
    }
  },
}
