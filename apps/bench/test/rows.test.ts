import { afterAll, expect, test } from 'vitest'
import { ROWS } from '../src/row-table.ts'
import { runRow, type OpenDocuments, type OpenSide } from '../src/run-rows.ts'
import { startDocumentSide, type DocumentSide } from '../src/sides/documents/document-side.ts'
import { startSide, type Side } from '../src/sides/side.ts'

/** Rows share sides here, by column: to start one for each cell would take longer than all else. */
const sides = new Map<string, Promise<Side>>()

const openShared: OpenSide = async ({ side: name, client }) => {
  // Columns of a row work in turns, so each needs clients of its own.
  const shared = `${name} ${client === 'tutti numbered light'}`
  const side = sides.get(shared) ?? startSide(name, { proxied: name === 'tutti' })
  sides.set(shared, side)
  return { side: await side, endsWithCell: false }
}

const documentSides = new Map<string, Promise<DocumentSide>>()

const openSharedDocuments: OpenDocuments = async (server) => {
  const side = documentSides.get(server) ?? startDocumentSide(server, 2)
  documentSides.set(server, side)
  return { side: await side, endsWithCell: false }
}

afterAll(async () => {
  await Promise.all([...documentSides.values()].map(async (side) => (await side).stop()))
  await Promise.all([...sides.values()].map(async (side) => (await side).stop()))
})

/** Rows in which no client is subscribed to what is written. */
const WITHOUT_DELIVERIES = [
  ...['no-subscriber', 'connect', 'client', 'append'],
  ...['documents', 'document-resume', 'document-joiners', 'document-slow-link'],
]

test.each(ROWS)('$name delivers each write once and returns finite figures', async (row) => {
  const { rounds } = await runRow(row, { rounds: 1, size: 'short', openSide: openShared, openDocuments: openSharedDocuments })
  const [round, ...more] = rounds
  expect(more).toEqual([])
  expect([...(round?.keys() ?? [])].toSorted()).toEqual(row.columns.map(({ label }) => label).toSorted())
  for (const { figures, deliveries } of round?.values() ?? []) {
    expect(Object.keys(figures)).toEqual(row.figures)
    expect(Object.values(figures).filter((figure) => !Number.isFinite(figure))).toEqual([])
    const { expected } = deliveries
    expect(deliveries).toEqual({ expected, delivered: expected, doubled: 0 })
    expect(expected > 0).toBe(!WITHOUT_DELIVERIES.includes(row.name))
  }
})
