import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../../measure/statistics.ts'
import { until } from './bench-document.ts'
import { openDocument, type DocumentLoad, type DocumentLoadContext } from './document-load.ts'

/** One author, whose keystrokes clients of the other instances show. */
export interface KeystrokesStretch {
  keystrokes: number
  perSecond: number
}

export const KEYSTROKES_FIGURES = ['shownP50', 'shownP95', 'shown'] as const

/** Opens one document on each instance. */
export async function createKeystrokesLoad(context: DocumentLoadContext): Promise<DocumentLoad> {
  const open = await Promise.all(context.urls.map((_, index) => openDocument(context, index, 'bench:keystrokes')))
  const [author, ...others] = open
  if (author === undefined) throw new Error('The side has no instance.')
  return {
    steps: {
      /** As long as a stretch of keystrokes. */
      idle: ({ keystrokes, perSecond }: KeystrokesStretch) => delay((keystrokes * 1_000) / perSecond),
      type: async ({ keystrokes, perSecond }: KeystrokesStretch) => {
        const first = author.text.length
        const typedMs: number[] = []
        const delays: number[] = []
        const stops = others.map(({ text }) => {
          let length = first
          const show = (): void => {
            for (; length < text.length; length += 1) delays.push(performance.now() - (typedMs[length - first] ?? Number.NaN))
          }
          text.observe(show)
          return () => text.unobserve(show)
        })
        for (let typed = 0; typed < keystrokes; typed += 1) {
          typedMs.push(performance.now())
          author.text.insert(author.text.length, 'a')
          await delay(1_000 / perSecond)
        }
        await until(() => delays.length === keystrokes * others.length)
        for (const stop of stops) stop()
        return { shownP50: percentile(delays, 0.5), shownP95: percentile(delays, 0.95), shown: delays.length }
      },
    },
    close: () => {
      for (const each of open) each.close()
    },
  }
}
