import { eventually, startRedis } from '@tutti/test-kit'
import { startPostgresql } from '../databases.ts'
import { createInstances } from '../instances.ts'
import { replaySession } from './replay-session.ts'
import type { Session } from './session.ts'

/** Where a text was read at the end. */
export type ReadTexts = Readonly<Record<'editors' | 'log' | 'database', string>>

/** Repeats a session on two instances, Redis and PostgreSQL. Returns the texts at the end. */
export async function replayOnInstances(session: Session): Promise<ReadTexts> {
  const [redis, database] = await Promise.all([startRedis(), startPostgresql()])
  const errors: unknown[] = []
  const instances = createInstances(database.store, redis.url, (error) => errors.push(error))
  try {
    const urls = [await instances.start(), await instances.start()]
    const id = 'replay:1'
    const documents = Array.from({ length: Math.max(2, session.agents) }, (_, place) => instances.open(urls[place % 2] ?? '', id))
    await replaySession(session, documents)
    const length = session.endContent.length
    const settled = async (read: () => string | Promise<string | undefined>): Promise<string> => {
      let text: string | undefined
      await eventually(async () => {
        text = await read()
        if (text?.length !== length) throw new Error(`A text has ${text?.length} characters instead of ${length}.`)
      })
      return text ?? ''
    }
    const editors = await Promise.all(documents.map(({ text }) => settled(() => text.toJSON())))
    // An instance that has not been there before reads the database and the log.
    const later = instances.open(await instances.start(), id)
    const log = await settled(() => later.text.toJSON())
    // The text in the database is that of the newest snapshot: one is stored when the last client has closed the document.
    for (const document of [...documents, later]) document.dispose()
    const stored = await settled(() => database.store.textOf(id))
    if (errors.length > 0) throw new AggregateError(errors)
    return { editors: editors.every((text) => text === editors[0]) ? (editors[0] ?? '') : '', log, database: stored }
  } finally {
    await instances.stop()
    await Promise.all([database.stop(), redis.stop()])
  }
}
