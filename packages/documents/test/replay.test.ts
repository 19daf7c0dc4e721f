import { expect, test } from 'vitest'
import { replayOnInstances } from './replay/replay-on-instances.ts'
import { readSession } from './replay/session.ts'

test('[D1] a recorded session of two authors ends in its text everywhere', async () => {
  const session = readSession(new URL('replay/fixtures/two-authors.json', import.meta.url))
  const { endContent } = session
  expect(await replayOnInstances(session)).toEqual({ editors: endContent, log: endContent, database: endContent })
})
