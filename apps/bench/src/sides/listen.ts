import { once } from 'node:events'
import type { Server } from 'node:http'

/** Listens on a free port of 127.0.0.1 and returns the address. The queue of connections is long enough for all clients at once. */
export async function listen(httpServer: Server): Promise<string> {
  httpServer.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(httpServer, 'listening')
  const address = httpServer.address()
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.')
  return `http://127.0.0.1:${address.port}`
}
