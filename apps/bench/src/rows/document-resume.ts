import { RESUME_FIGURES, type ResumePlan } from '../load/documents/resume-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { DOCUMENT_COLUMNS, documentServerOf, NO_DELIVERIES, type Row } from '../row.ts'

/** A client that reconnects after it has missed edits. */
export const documentResume: Row = {
  name: 'document-resume',
  title: '100 missed edits of a document of 100,000 characters, of which as many were deleted: all bytes of the reconnect',
  figures: ['bytes per reconnect', 'bytes / bytes of the merged updates'],
  columns: DOCUMENT_COLUMNS,
  maxRounds: 1,
  measure: async (column, { size, openDocuments }) => {
    const [characters, edits] = size === 'full' ? [100_000, 100] : [2_000, 5]
    const side = await openDocuments(documentServerOf(column), 1)
    await side.openLoad('resume', { characters } satisfies ResumePlan)
    const { bytes, mergedBytes } = numbersOf(RESUME_FIGURES, await side.step('miss', edits))
    await side.closeLoad()
    return {
      figures: { 'bytes per reconnect': bytes, 'bytes / bytes of the merged updates': bytes / mergedBytes },
      deliveries: NO_DELIVERIES,
    }
  },
}
