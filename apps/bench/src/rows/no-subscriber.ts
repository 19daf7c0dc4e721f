import { spawnInstance } from '@tutti/test-kit'
import type { Stretch } from '../load/write-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { SIDE_COLUMNS, type Cell, type Column, type Row } from '../row.ts'
import { cpuMsOf, SIDES, type Side } from '../sides/side.ts'

const PLANS: Record<'full' | 'short', { writers: number; inFlight: number; warmUp: Stretch; stretch: Stretch }> = {
  full: { writers: 20, inFlight: 8, warmUp: { seconds: 30, maxWrites: 10_000 }, stretch: { seconds: 2 } },
  short: { writers: 2, inFlight: 2, warmUp: { seconds: 30, maxWrites: 10 }, stretch: { seconds: 30, maxWrites: 50 } },
}

/** Bytes of the values by their name in the figures. */
const SIZES = { '0.1 kB': 100, '4 kB': 4_000 } as const

/**
 * What an instance pays for changes that are made elsewhere and that none of its clients watches, and what a bare ioredis
 * subscriber pays that receives the same messages in the same stretch.
 */
export const noSubscriber: Row = {
  name: 'no-subscriber',
  title: 'an instance without subscribers, while changes are made on the other one',
  figures: Object.keys(SIZES).flatMap((size) => [
    `CPU per 1,000 changes of ${size}, ms`,
    `CPU per 1,000 changes of ${size} of a bare subscriber, ms`,
    `instance / bare subscriber, ${size}`,
  ]),
  columns: SIDE_COLUMNS,
  measure: async (column, { size, openSide }) => {
    const { writers, inFlight, warmUp, stretch } = PLANS[size]
    const side = await openSide()
    const bare = await spawnInstance(new URL('../sides/bare-subscriber-instance.ts', import.meta.url), {
      env: { REDIS_URL: side.redis.url },
    })
    try {
      await bare.call('subscribe', SIDES[column.side].channel)
      const figures: Record<string, number> = {}
      let deliveries: Cell['deliveries'] = { expected: 0, delivered: 0, doubled: 0 }
      for (const [name, valueBytes] of Object.entries(SIZES)) {
        await side.openLoad('write', column.client, { writers, inFlight, valueBytes, watched: false })
        await side.step('saturate', warmUp)
        const { instanceMs, bareMs } = await measureBoth(side, column, name, stretch, () => cpuMsOf(bare))
        figures[`CPU per 1,000 changes of ${name}, ms`] = instanceMs
        figures[`CPU per 1,000 changes of ${name} of a bare subscriber, ms`] = bareMs
        figures[`instance / bare subscriber, ${name}`] = instanceMs / bareMs
        deliveries = await side.closeLoad()
      }
      if (Number(await bare.call('messages')) === 0) throw new Error(`${column.side}: the bare subscriber received nothing.`)
      return { figures, deliveries }
    } finally {
      await bare.kill()
    }
  },
}

async function measureBoth(side: Side, { label }: Column, sizeName: string, stretch: Stretch, bareCpuMs: () => Promise<number>) {
  const before = await bareCpuMs()
  const { result, instancesMs } = await side.measure(`no-subscriber ${sizeName} ${label}`, () => side.step('saturate', stretch))
  const bareMs = (await bareCpuMs()) - before
  const { sent } = numbersOf(['sent'], result)
  return { instanceMs: (instancesMs[1] * 1000) / sent, bareMs: (bareMs * 1000) / sent }
}
