import { RealtimeError, type MutationId } from '@tutti/protocol'
import type { MutationAuthor } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'

/** What every write says of who asked for it: the author that makes it count once (S12), and the connection that need not be told. */
export function attribution(
  mutation: MutationId | undefined,
  connection: Connection,
): { author: MutationAuthor | undefined; writer: string } {
  return { author: mutation === undefined ? undefined : authorOf(mutation, connection), writer: connection.id }
}

function authorOf({ number, clientId = '' }: MutationId, connection: Connection): MutationAuthor {
  const id = clientId || connection.clientId
  if (id === undefined)
    throw new RealtimeError('INVALID_MESSAGE', { message: 'A numbered mutation needs a clientId, in it or in the handshake.' })
  return { user: connection.user, clientId: id, number }
}
