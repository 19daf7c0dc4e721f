import { randomUUID } from 'node:crypto'
import { RealtimeError } from '@tutti/protocol'

/** Bytes of a part, except the last one. */
export const PART_BYTES = 65_536

/** Transfers that one connection has at a time. */
const MAX_TRANSFERS = 16

/** Bytes that travel in parts, which the client requests one by one, so that other messages of the connection never wait long. */
export interface Transfers {
  /** Bytes for a client to fetch. Returns the id. */
  offer(connection: string, bytes: Uint8Array): string
  /** A part of offered bytes. */
  part(connection: string, id: string, index: number): { bytes: Uint8Array; last?: true }
  /** A part of bytes that a client sends. Throws `TOO_LARGE`. */
  receive(connection: string, id: string, index: number, bytes: Uint8Array): void
  /** All bytes of a transfer that a client has sent. */
  take(connection: string, id: string): Uint8Array
  /** The connection is gone. */
  end(connection: string): void
}

/** Makes the transfers of one server. */
export function createTransfers(maxBytes: number): Transfers {
  const offered = new Map<string, Map<string, Uint8Array>>()
  const received = new Map<string, Map<string, Uint8Array[]>>()

  const of = <Content>(table: Map<string, Map<string, Content>>, connection: string): Map<string, Content> => {
    const found = table.get(connection) ?? new Map<string, Content>()
    table.set(connection, found)
    return found
  }
  const add = <Content>(transfers: Map<string, Content>, id: string, content: Content): void => {
    const [oldest] = transfers.keys()
    if (transfers.size >= MAX_TRANSFERS && oldest !== undefined) transfers.delete(oldest)
    transfers.set(id, content)
  }
  const unknown = (id: string): RealtimeError =>
    new RealtimeError('INVALID_MESSAGE', { message: `Unknown transfer ${id}, or a part out of order. Begin it again.` })

  return {
    offer: (connection, bytes) => {
      const id = randomUUID()
      add(of(offered, connection), id, bytes)
      return id
    },
    part: (connection, id, index) => {
      const transfers = of(offered, connection)
      const bytes = transfers.get(id)
      const start = index * PART_BYTES
      if (bytes === undefined || start >= bytes.length) throw unknown(id)
      const isLast = start + PART_BYTES >= bytes.length
      if (isLast) transfers.delete(id)
      return { bytes: bytes.subarray(start, start + PART_BYTES), ...(isLast && { last: true as const }) }
    },
    receive: (connection, id, index, bytes) => {
      const transfers = of(received, connection)
      if (index === 0) add(transfers, id, [])
      const parts = transfers.get(id)
      if (parts === undefined || parts.length !== index || bytes.length > PART_BYTES) throw unknown(id)
      if (index * PART_BYTES + bytes.length > maxBytes) {
        transfers.delete(id)
        throw new RealtimeError('TOO_LARGE', { message: `The update exceeds ${maxBytes} bytes (maxUpdateBytes).` })
      }
      parts.push(bytes)
    },
    take: (connection, id) => {
      const transfers = of(received, connection)
      const parts = transfers.get(id)
      if (parts === undefined) throw unknown(id)
      transfers.delete(id)
      return Buffer.concat(parts)
    },
    end: (connection) => {
      offered.delete(connection)
      received.delete(connection)
    },
  }
}
