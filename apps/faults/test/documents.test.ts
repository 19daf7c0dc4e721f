import { expect, test } from 'vitest'
import { runDocuments } from '../src/documents/run-documents.ts'
import { runSingleInstance } from '../src/documents/run-single-instance.ts'

const SHORT = { seed: 2, authors: 4, seconds: 3, settleMs: 60_000 }

test('[D2] no acknowledged edit is lost under faults, and all texts end equal', async () => {
  const { violations, words, faults } = await runDocuments({ ...SHORT, awaySeconds: 1 })
  expect(violations).toEqual([])
  expect(words).toBeGreaterThan(20)
  expect(faults.length).toBeGreaterThan(0)
})

test('[D2] the run detects updates that are acknowledged without being in the log', async () => {
  const { violations } = await runDocuments({ ...SHORT, seconds: 1, settleMs: 2_000, bug: 'lost-update' })
  expect(violations).not.toEqual([])
})

test('[D2] no acknowledged edit is lost when one instance on PGlite is killed', async () => {
  const { violations, words, faults } = await runSingleInstance({ ...SHORT, seconds: 1 })
  expect(violations).toEqual([])
  expect(words).toBeGreaterThan(10)
  expect(faults).toContain('kill')
})
