import type { EntryPage, Reply } from '@tutti/protocol'
import { io, type Socket } from 'socket.io-client'

/** A socket.io-client to Tutti, for what other sides have not. */
export interface PlainSocket {
  /** A page of a prefix, from the start or behind a key. */
  page(prefix: string, after?: string): Promise<{ entries: number; after: string | undefined }>
  /** One `storage:set`, acknowledged. */
  set(key: string, value: unknown): Promise<void>
  close(): void
}

type Events = Record<string, (payload: object) => void>
interface Requests {
  'storage:subscribe': (payload: object, acknowledge: (reply: Reply<EntryPage>) => void) => void
  'storage:set': (payload: object, acknowledge: (reply: Reply) => void) => void
}

/** Connects, WebSocket only. */
export async function connectPlainSocket(url: string): Promise<PlainSocket> {
  const socket: Socket<Events, Requests> = io(url, { transports: ['websocket'], reconnection: false, forceNew: true })
  await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject))
  return {
    page: async (prefix, after) => {
      const reply = await socket.emitWithAck('storage:subscribe', { prefix, ...(after === undefined ? {} : { after }) })
      if (!reply.ok) throw new Error(`storage:subscribe: ${reply.error.code}`)
      return { entries: reply.entries.length, after: reply.after }
    },
    set: async (key, value) => {
      const reply = await socket.emitWithAck('storage:set', { key, value })
      if (!reply.ok) throw new Error(`storage:set: ${reply.error.code}`)
    },
    close: () => void socket.disconnect(),
  }
}
