import { eventually } from '@tutti/test-kit'
import { LISTING_FIGURES, REPAIR_FIGURES, wallClock, type RepairPlan } from '../load/repair-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import type { Row } from '../row.ts'
import { SIDES, type Side } from '../sides/side.ts'

interface Plan {
  plan: RepairPlan
  /** Entries below each prefix, the largest last. */
  listings: readonly [few: number, more: number, most: number]
}

const PLANS: Record<'full' | 'short', Plan> = {
  full: { plan: { keys: 10_000 }, listings: [1_000, 10_000, 100_000] },
  short: { plan: { keys: 100 }, listings: [20, 50, 1_200] },
}

/** How often a key changed during the gap: one in a hundred, and all. */
const SOME = 100
const ALL = 1

/** What no control has: the repair after a gap, and listings of a prefix. */
export const repair: Row = {
  name: 'repair',
  title: 'a connection with 10,000 keys after a gap; pages of a prefix of 100,000 entries',
  figures: [
    'repair of 100 changes of 10,000 keys, ms',
    'repair of 10,000 changes of 10,000 keys, ms',
    'first page of 100,000, ms',
    'all pages of 1,000, ms',
    'all pages of 10,000, ms',
    'all pages of 100,000, ms',
    'time per entry: 100,000 / 1,000',
  ],
  columns: [{ label: 'Tutti', side: 'tutti', client: 'tutti light' }],
  maxRounds: 1,
  measure: async ({ client }, { size, openSide }) => {
    const { plan, listings } = PLANS[size]
    const side = await openSide({ proxied: true })
    await side.openLoad('repair', client, plan)
    await side.step('watch')
    const figures: Record<string, number> = {
      'repair of 100 changes of 10,000 keys, ms': await repairAfterGap(side, SOME),
      'repair of 10,000 changes of 10,000 keys, ms': await repairAfterGap(side, ALL),
    }
    const [few, more, most] = [await list(side, listings[0]), await list(side, listings[1]), await list(side, listings[2])]
    figures['first page of 100,000, ms'] = most.firstPageMs
    figures['all pages of 1,000, ms'] = few.allPagesMs
    figures['all pages of 10,000, ms'] = more.allPagesMs
    figures['all pages of 100,000, ms'] = most.allPagesMs
    figures['time per entry: 100,000 / 1,000'] = most.allPagesMs / listings[2] / (few.allPagesMs / listings[0])
    return { figures, deliveries: await side.closeLoad() }
  },
}

/** Cuts the second instance off from Redis, changes each `every`th key, and measures from when it is subscribed again. */
async function repairAfterGap(side: Side, every: number): Promise<number> {
  const { channel } = SIDES.tutti
  const { proxy, redis, step } = side
  proxy?.refuse()
  await eventually(async () => {
    if ((await redis.subscribers(channel)) !== 1) throw new Error('The second instance is still subscribed.')
  })
  await step('writeAway', every)
  const { result } = await side.measure(`repair of each ${every}`, async () => {
    const repaired = step('repaired')
    proxy?.flow()
    await eventually(
      async () => {
        if ((await redis.subscribers(channel)) !== 2) throw new Error('The second instance is not subscribed again.')
      },
      { everyMs: 1 },
    )
    const backAt = wallClock()
    const { repairedAt } = numbersOf(REPAIR_FIGURES, await repaired)
    return Math.max(0, repairedAt - backAt)
  })
  return result
}

async function list(side: Side, count: number) {
  const prefix = `bench:p${count}:`
  await side.step('fill', prefix, count)
  const { result } = await side.measure(`listing ${count}`, () => side.step('list', prefix))
  const figures = numbersOf(LISTING_FIGURES, result)
  if (figures.entries !== count) throw new Error(`A listing of ${count} entries has ${figures.entries}.`)
  return figures
}
