import { JOINERS_FIGURES, type JoinersPlan } from '../load/documents/joiners-load.ts'
import { SLOW_LINK_FIGURES, type SlowLinkPlan } from '../load/documents/slow-link-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { NO_DELIVERIES, type Column, type Row } from '../row.ts'

const TUTTI: Column = { label: 'Tutti', side: 'tutti', client: 'tutti' }

const JOINERS: Record<'full' | 'short', JoinersPlan> = {
  full: { joiners: 150, characters: 2_350_000 },
  short: { joiners: 2, characters: 70_000 },
}

/** Many clients that open one large document. */
export const documentJoiners: Row = {
  name: 'document-joiners',
  title: '150 clients open a document of 4 MB, with one edit after its last snapshot, on an instance that has not opened it',
  figures: ['CPU of the instance, s', 'memory of the instance, MB', 'bytes per joiner', 'until each has it, s'],
  columns: [TUTTI],
  measure: async (_, { size, openDocuments }) => {
    const side = await openDocuments('tutti', 2)
    await side.openLoad('joiners', JOINERS[size])
    const joined = side.instances[1]
    const [cpuBefore, { rss }] = [
      numbersOf(['user', 'system'], await joined?.call('cpu')),
      numbersOf(['rss'], await joined?.call('memory')),
    ]
    const { bytesPerJoiner, elapsedMs } = numbersOf(JOINERS_FIGURES, await side.step('join'))
    const cpu = numbersOf(['user', 'system'], await joined?.call('cpu'))
    const { peak } = numbersOf(['peak'], { peak: await joined?.call('peakBytes') })
    await side.closeLoad()
    return {
      figures: {
        'CPU of the instance, s': (cpu.user + cpu.system - cpuBefore.user - cpuBefore.system) / 1e6,
        'memory of the instance, MB': (peak - rss) / 1e6,
        'bytes per joiner': bytesPerJoiner,
        'until each has it, s': elapsedMs / 1_000,
      },
      deliveries: NO_DELIVERIES,
    }
  },
}

const SLOW_LINK: Record<'full' | 'short', SlowLinkPlan> = {
  full: { characters: 2_350_000, pasted: 2_000_000, bytesPerSecond: 250_000 },
  short: { characters: 100_000, pasted: 70_000, bytesPerSecond: 2_000_000 },
}

/** A large document behind a slow link. */
export const documentSlowLink: Row = {
  name: 'document-slow-link',
  title: 'a document of 4 MB is opened and 2 MB are pasted through a link of 2 Mbit/s, while other messages are sent',
  figures: ['open, s', 'paste, s', 'slowest other message, ms', 'reconnects'],
  columns: [TUTTI],
  maxRounds: 1,
  measure: async (_, { size, openDocuments }) => {
    const side = await openDocuments('tutti', 1)
    await side.openLoad('slowLink', SLOW_LINK[size])
    const { openMs, pasteMs, slowestOtherMs, reconnects } = numbersOf(SLOW_LINK_FIGURES, await side.step('run'))
    await side.closeLoad()
    return {
      figures: {
        'open, s': openMs / 1_000,
        'paste, s': pasteMs / 1_000,
        'slowest other message, ms': slowestOtherMs,
        reconnects,
      },
      deliveries: NO_DELIVERIES,
    }
  },
}
