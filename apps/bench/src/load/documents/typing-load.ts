import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../../measure/statistics.ts'
import { until } from './bench-document.ts'
import type { DocumentLoad, DocumentLoadContext } from './document-load.ts'
import { connectTypist } from './typist.ts'

/** Typists on the first instance, each in a document of its own. */
export interface TypingPlan {
  documents: number
}

/** All documents together. */
export interface TypingStretch {
  updates: number
  updatesPerSecond: number
}

export const TYPING_FIGURES = ['ackP50', 'ackP99', 'storedP50', 'storedP99', 'perSecond'] as const

/** Connects the typists. */
export async function createTypingLoad({ server, urls }: DocumentLoadContext, { documents }: TypingPlan): Promise<DocumentLoad> {
  const names = Array.from({ length: documents }, (_, index) => `bench:typing${index}`)
  const typists = await Promise.all(names.map((name) => connectTypist(server, urls[0] ?? '', name)))
  return {
    steps: {
      type: async ({ updates, updatesPerSecond }: TypingStretch) => {
        const firsts = typists.map((typist) => typist.updates.length)
        const startMs = performance.now()
        for (let sent = 0; sent < updates; sent += 1) {
          const waitMs = startMs + (sent * 1_000) / updatesPerSecond - performance.now()
          if (waitMs > 1) await delay(waitMs)
          typists[sent % typists.length]?.type()
        }
        const seconds = (performance.now() - startMs) / 1_000
        const all = typists.flatMap((typist, index) => typist.updates.slice(firsts[index]))
        await until(() => all.every(({ acknowledgedMs, storedMs }) => acknowledgedMs !== undefined && storedMs !== undefined))
        const acks = all.flatMap(({ acknowledgedMs }) => acknowledgedMs ?? [])
        const stored = all.flatMap(({ storedMs }) => storedMs ?? [])
        return {
          ackP50: percentile(acks, 0.5),
          ackP99: percentile(acks, 0.99),
          storedP50: percentile(stored, 0.5),
          storedP99: percentile(stored, 0.99),
          perSecond: all.length / seconds,
        }
      },
    },
    close: () => {
      for (const typist of typists) typist.close()
    },
  }
}
