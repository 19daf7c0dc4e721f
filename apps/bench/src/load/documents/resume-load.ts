import { startTcpProxy } from '@tutti/test-kit'
import { mergeUpdates } from 'yjs'
import { until } from './bench-document.ts'
import { openDocument, type DocumentLoad, type DocumentLoadContext } from './document-load.ts'

/** A document of so many characters, of which as many were deleted. */
export interface ResumePlan {
  characters: number
}

export const RESUME_FIGURES = ['bytes', 'mergedBytes'] as const

const SENTENCE = 'A sentence of about a hundred characters, of which half is deleted in a random place of the text... '

/** Two clients of the first instance have the document open, one of them through a proxy that counts bytes. */
export async function createResumeLoad(context: DocumentLoadContext, { characters }: ResumePlan): Promise<DocumentLoad> {
  const { hostname, port } = new URL(context.urls[0] ?? '')
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  const author = await openDocument(context, 0, 'bench:resume')
  const { doc, text } = author
  const place = (length: number): number => Math.floor(Math.random() * length)
  while (text.length < characters) {
    doc.transact(() => {
      for (let edit = 0; edit < 100; edit += 1) {
        text.insert(place(text.length + 1), SENTENCE)
        text.delete(place(text.length - SENTENCE.length / 2), SENTENCE.length / 2)
      }
    })
    await until(author.isSynced)
  }
  const reader = await openDocument(context, 0, 'bench:resume', `http://127.0.0.1:${proxy.port}`)
  await until(() => reader.text.length === text.length)
  const bytesOf = (): number => proxy.connections.reduce((sum, { bytes }) => sum + bytes.up + bytes.down, 0)
  return {
    steps: {
      /** The reader is disconnected meanwhile. The bytes of its reconnect: those of the connection itself too. */
      miss: async (edits: number) => {
        reader.disconnect()
        await until(() => proxy.connections.every(({ open }) => !open))
        const updates: Uint8Array[] = []
        const keep = (update: Uint8Array): void => void updates.push(update)
        doc.on('update', keep)
        for (let edit = 0; edit < edits; edit += 1) text.insert(place(text.length + 1), 'a few words, ')
        doc.off('update', keep)
        await until(author.isSynced)
        const before = bytesOf()
        reader.connect()
        await until(() => reader.isSynced() && reader.text.length === text.length)
        return { bytes: bytesOf() - before, mergedBytes: mergeUpdates(updates).length }
      },
    },
    close: () => {
      author.close()
      reader.close()
      void proxy.close()
    },
  }
}
