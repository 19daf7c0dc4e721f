import { createRealtimeClient } from '@tutti/client'
import { Doc } from 'yjs'
import type { DocumentServer } from '../../sides/documents/document-side.ts'
import { until } from './bench-document.ts'
import { connectHocuspocusDocument } from './hocuspocus-document.ts'

/** The times of one update, milliseconds from its edit. */
export interface UpdateTimes {
  readonly sentMs: number
  acknowledgedMs?: number
  storedMs?: number
}

/** A client that sends each edit at once, and records when it was acknowledged and when the database had it. */
export interface Typist {
  readonly updates: readonly UpdateTimes[]
  /** One character more. */
  type(): void
  close(): void
}

const CONNECT = { tutti: connectTutti, hocuspocus: connectHocuspocus } as const

/** Connects a typist to a document without content. */
export const connectTypist = (server: DocumentServer, url: string, id: string): Promise<Typist> => CONNECT[server](url, id)

/** Messages of the protocol, because `@tutti/documents/client` merges the edits of 20 ms. */
async function connectTutti(url: string, id: string): Promise<Typist> {
  const client = createRealtimeClient({ url, transports: ['websocket'] })
  const { connection } = client.internals
  await until(() => connection.up)
  await new Promise<void>((resolve, reject) =>
    connection.request('document:open', { document: id }, ({ error }) => (error ? reject(error) : resolve())),
  )
  const doc = new Doc()
  const updates: UpdateTimes[] = []
  const offsets = new Map<UpdateTimes, number>()
  connection.attach({
    'document:status': ({ stored }) => {
      const upTo = offsetOf(stored)
      for (const [times, offset] of offsets) {
        if (offset > upTo) continue
        times.storedMs = performance.now() - times.sentMs
        offsets.delete(times)
      }
    },
  })
  doc.on('update', (update: Uint8Array) => {
    const times: UpdateTimes = { sentMs: performance.now() }
    updates.push(times)
    connection.request('document:update', { document: id, update: Buffer.from(update).toString('base64') }, ({ result }) => {
      if (result === undefined) return
      times.acknowledgedMs = performance.now() - times.sentMs
      offsets.set(times, offsetOf(result.offset))
    })
  })
  return { updates, type: () => doc.getText('text').insert(0, 'a'), close: () => void client.close() }
}

const offsetOf = (text: string): number => Number.parseInt(text.split('-')[1] ?? '', 36)

async function connectHocuspocus(url: string, id: string): Promise<Typist> {
  const { provider, text, close } = await connectHocuspocusDocument(url, id)
  await until(() => !provider.hasUnsyncedChanges)
  const updates: UpdateTimes[] = []
  let acknowledged = 0
  let stored = 0
  provider.on('unsyncedChanges', ({ number }: { number: number }) => {
    for (; acknowledged < updates.length - number; acknowledged += 1) {
      const times = updates[acknowledged]
      if (times !== undefined) times.acknowledgedMs = performance.now() - times.sentMs
    }
  })
  provider.on('stateless', ({ payload }: { payload: string }) => {
    for (const upTo = Math.min(Number(payload), updates.length); stored < upTo; stored += 1) {
      const times = updates[stored]
      if (times !== undefined) times.storedMs = performance.now() - times.sentMs
    }
  })
  return {
    updates,
    type: () => {
      updates.push({ sentMs: performance.now() })
      text.insert(0, 'a')
    },
    close,
  }
}
