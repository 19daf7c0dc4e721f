import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import memoryDriver from 'unstorage/drivers/memory'

/** The real server, with its state in memory, on a free port. */
export async function startRealServer(): Promise<{ url: string; close(): Promise<void> }> {
  const http = createServer()
  const realtime = attachRealtime(http, { state: reactiveDriver(memoryDriver()), onWarning: () => {} })
  await realtime.ready
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: async () => {
      await realtime.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
