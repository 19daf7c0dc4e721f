import type { Connection } from '@tutti/client/internal'
import type { Requests } from '@tutti/protocol'

/** Sends a request. Rejects with the error of the reply. */
export const request = <Name extends keyof Requests>(
  connection: Connection,
  name: Name,
  payload: Requests[Name]['payload'],
): Promise<Requests[Name]['result']> =>
  new Promise((resolve, reject) => connection.request(name, payload, ({ result, error }) => (error ? reject(error) : resolve(result))))
