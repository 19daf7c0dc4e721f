import { expect, test } from 'vitest'
import type { LogPosition } from '../../logs/log-contract.ts'
import { withLogs, type UseLogs } from './logs-under-test.ts'
import { randomOf } from './random-of.ts'

const SCHEDULES = 6
const STEPS = 150
const MAX_RECORDS = 12

/**
 * Random appends, trims and reads of two instances against a list: an id is appended once while its record is in the log, and readers
 * receive each record once and in order, or a gap.
 */
export function randomLogsContract(use: UseLogs): void {
  test.each(Array.from({ length: SCHEDULES }, (_, seed) => seed))(
    '[E7] each id is in the log once, and no record is missed without a gap (seed %i)',
    (seed) =>
      withLogs(use, { maxRecords: MAX_RECORDS }, async ({ logs, other }, channel) => {
        const below = randomOf(seed)
        const name = channel('a')
        const appended: { offset: number; json: string; id: string | undefined }[] = []
        let trimmed = 0
        const start = await logs.head(name)
        const readers: { position: LogPosition; place: number }[] = [0, 1, 2].map(() => ({ position: start, place: 0 }))
        /** Whether records that are appended together may remove the record with an id: the order of the two is not defined. */
        const isAtEnd = (id: string): boolean =>
          appended.slice(trimmed, appended.length - MAX_RECORDS + 3).some((record) => record.id === id)
        for (let step = 0; step < STEPS; step += 1) {
          const one = below(2) === 0 ? logs : other
          const action = below(10)
          if (action < 5) {
            const records = Array.from({ length: 1 + below(3) }, (_, place) => {
              // Half of the ids have been used before, some of them by a record that is no longer in the log.
              const used = String(below(2) === 0 ? appended.length + below(2) : below(appended.length + 1))
              return { json: `${step}-${place}`, id: below(3) === 0 || isAtEnd(used) ? undefined : used }
            })
            const results = await Promise.all(records.map(({ json, id }) => one.append(name, { json: `"${json}"`, id })))
            for (const [place, { json, id }] of records.entries()) {
              const known = id === undefined ? undefined : appended.slice(trimmed).findLast((record) => record.id === id)
              const { offset = 0, isNew } = results[place] ?? {}
              expect([isNew, offset]).toEqual([known === undefined, known?.offset ?? expect.any(Number)])
              if (known === undefined) appended.push({ offset, json: `"${json}"`, id })
            }
            trimmed = Math.max(trimmed, appended.length - MAX_RECORDS)
          } else if (action === 5 && appended.length > 0) {
            const place = below(appended.length)
            expect(await one.trim(name, appended[place]?.offset ?? 0)).toBe(Math.max(0, place + 1 - trimmed))
            trimmed = Math.max(trimmed, place + 1)
          } else {
            const reader = readers[below(readers.length)]
            if (reader === undefined) continue
            const page = await one.read(name, reader.position)
            expect(page.hasGap).toBe(reader.place < trimmed)
            const expected = appended.slice(Math.max(reader.place, trimmed)).map((record) => ({ offset: record.offset, json: record.json }))
            expect(page.records.map(({ offset, json }) => ({ offset, json }))).toEqual(expected)
            reader.place = appended.length
            reader.position = { epoch: page.epoch, offset: page.last }
          }
        }
      }),
  )
}
