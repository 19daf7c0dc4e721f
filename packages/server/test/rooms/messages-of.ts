import type { Notices } from '@tutti/protocol'
import type { PlainClient } from '../serve.ts'

/** The messages of server code that a plain client has received. */
export const messagesOf = (client: PlainClient): Notices['room:received'][] =>
  client.of('room:received').map((payload) => payload as Notices['room:received'])

/** Their data. */
export const dataOf = (client: PlainClient): unknown[] => messagesOf(client).map(({ data }) => data)
