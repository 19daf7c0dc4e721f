import type { Notices } from '@tutti/protocol'
import { callSafely, patternsOf } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection-contract.ts'
import type { ClientInternals } from '../create-realtime-client.ts'

/** A message of server code. */
export type Message = Notices['room:received']

/** Receives the messages of server code, for all entries that deliver them. */
export interface MessageHub {
  /** Adds a listener for a name or a pattern of names. Returns an unsubscribe function. */
  listen(pattern: string, run: (message: Message) => void): () => void
}

const hubs = new WeakMap<Connection, MessageHub>()

/** The hub of a client, made for its first listener. */
export function messageHubOf(internals: ClientInternals): MessageHub {
  const { connection } = internals
  const hub = hubs.get(connection) ?? createMessageHub(internals)
  hubs.set(connection, hub)
  return hub
}

function createMessageHub({ connection, onThrow }: ClientInternals): MessageHub {
  const listeners = new Map<string, Set<{ run(message: Message): void }>>()
  connection.attach({
    'room:received': (message) => {
      for (const pattern of patternsOf(message.name)) {
        for (const listener of [...(listeners.get(pattern) ?? [])]) callSafely(() => listener.run(message), onThrow)
      }
    },
  })
  return {
    listen: (pattern, run) => {
      const listener = { run }
      const group = listeners.get(pattern) ?? new Set()
      listeners.set(pattern, group.add(listener))
      return () => {
        if (group.delete(listener) && group.size === 0) listeners.delete(pattern)
      }
    },
  }
}
