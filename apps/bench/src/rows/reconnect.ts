import { setTimeout as delay } from 'node:timers/promises'
import { CONNECT_FIGURES, type ConnectPlan, type ConnectStep } from '../load/connect-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { mediansOf } from '../measure/statistics.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

interface ReconnectPlan {
  plan: ConnectPlan
  first: ConnectStep
  again: ConnectStep
  /** Reconnects before the measured ones. */
  warmUps: number
  /** Reconnects that are measured, in turns with the other columns. */
  turns: number
  /** How long the clients are connected before they are cut in a measured one, milliseconds. */
  restMs: number
  /** How much more garbage each instance makes before a turn than before the previous one. */
  garbageBytes: number
}

const PLANS: Record<'full' | 'short', ReconnectPlan> = {
  full: {
    plan: { keysEach: 50, shared: true },
    first: { count: 1_000, atOnce: 50 },
    again: { count: 1_000, atOnce: 1_000 },
    warmUps: 12,
    turns: 9,
    restMs: 1_500,
    garbageBytes: 2_000_000,
  },
  short: {
    plan: { keysEach: 5, shared: true },
    first: { count: 20, atOnce: 10 },
    again: { count: 20, atOnce: 20 },
    warmUps: 0,
    turns: 1,
    restMs: 0,
    garbageBytes: 1_000,
  },
}

/** Commands that read or run scripts: what a reconnecting client costs Redis. GET is called inside of scripts only. */
const READS = ['eval', 'evalsha', 'evalsha_ro', 'fcall', 'mget']

/** All connections are cut, all keys change meanwhile, and all clients reconnect at once. */
export const reconnect: Row = {
  name: 'reconnect',
  title: '1,000 clients with the same 50 keys reconnect at once',
  figures: ['until all are in sync, ms', 'scripts and reads at Redis', 'server CPU, ms', 'Redis CPU, ms', 'clients’ CPU, ms'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, first, again, warmUps, turns, restMs, garbageBytes } = PLANS[size]
    const side = await openSide()
    await side.openLoad('connect', client, plan)
    await side.step('writeShared')
    await side.step('connect', first)
    const cut = async (): Promise<void> => {
      await Promise.all(side.instances.map((instance) => instance.call('cut')))
      await side.step('allClosed')
      await side.step('writeShared')
    }
    for (let warmUp = 0; warmUp < warmUps; warmUp += 1) {
      await cut()
      await side.step('connect', again)
    }
    const measured = await inTurns(turns, async (turn) => {
      await delay(restMs)
      await cut()
      // The turns of a process are alike: its collections of young objects, a tenth of the time, would be within all or none of them.
      await Promise.all(side.instances.map((instance) => instance.call('makeGarbage', turn * garbageBytes)))
      const callsBefore = await side.redis.calls(READS)
      const { result, serverMs, redisMs, clientsMs } = await side.measure(`reconnect ${label} ${turn}`, () => side.step('connect', again))
      return {
        'until all are in sync, ms': numbersOf(CONNECT_FIGURES, result).elapsedMs,
        'scripts and reads at Redis': (await side.redis.calls(READS)) - callsBefore,
        'server CPU, ms': serverMs,
        'Redis CPU, ms': redisMs,
        'clients’ CPU, ms': clientsMs,
      }
    })
    await side.step('verify')
    return { figures: mediansOf(measured), deliveries: await side.closeLoad() }
  },
}
