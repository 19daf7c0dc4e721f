import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attachRealtime, type AttachRealtimeOptions } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import memoryDriver from 'unstorage/drivers/memory'

/** The real server, with its state in memory, on a free port. */
export async function startRealServer(options: Partial<AttachRealtimeOptions> = {}): Promise<{ url: string; close(): Promise<void> }> {
  const http = createServer()
  const realtime = attachRealtime(http, { state: reactiveDriver(memoryDriver()), onWarning: () => {}, ...options })
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
