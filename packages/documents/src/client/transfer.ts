import type { ClientInternals } from '@tutti/client/internal'
import { RealtimeError } from '@tutti/protocol'
import { fromBase64, toBase64 } from 'lib0/buffer'
import { request } from './request.ts'
import { requestParts } from './request-parts.ts'

/** Bytes of a part, except the last one: as the server's. */
export const PART_BYTES = 65_536

/** What a transfer needs of a client. */
type TransferContext = Pick<ClientInternals, 'connection' | 'clock'>

/** The bytes of a message. */
export const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? fromBase64(content) : new Uint8Array(content)

/** Bytes for a message. */
export const textOf = toBase64

/** Fetches bytes in parts, in order, so that other messages of the connection never wait long. */
export async function fetchTransfer(
  { connection, clock }: TransferContext,
  document: string,
  { id, bytes }: { id: string; bytes: number },
): Promise<Uint8Array> {
  const content = new Uint8Array(bytes)
  await requestParts({
    count: Math.ceil(bytes / PART_BYTES),
    now: clock.now,
    requestPart: async (index) => {
      const reply = await request(connection, 'document:part', { document, transfer: id, index })
      if (reply.bytes === undefined)
        throw new RealtimeError('INTERNAL', { message: `${document}: the server sent no bytes of part ${index}.` })
      content.set(bytesOf(reply.bytes), index * PART_BYTES)
    },
  })
  return content
}

/** Sends bytes in parts, as the transfer with this id. */
export function sendTransfer({ connection, clock }: TransferContext, document: string, transfer: string, bytes: Uint8Array): Promise<void> {
  return requestParts({
    count: Math.ceil(bytes.length / PART_BYTES),
    now: clock.now,
    requestPart: async (index) => {
      const start = index * PART_BYTES
      await request(connection, 'document:part', { document, transfer, index, bytes: textOf(bytes.subarray(start, start + PART_BYTES)) })
    },
  })
}
