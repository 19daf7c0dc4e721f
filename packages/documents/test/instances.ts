import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { createRedisCoordination } from '@tutti/coordination'
import { RealtimePubSub } from '@tutti/pubsub'
import type { RealtimeServer } from '@tutti/server'
import { attachRealtime, type AttachRealtimeOptions } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import memory from 'unstorage/drivers/memory'
import { document, type RealtimeDocument } from '../src/client/document.ts'
import { createDocuments, type Documents, type DocumentsOptions, type DocumentStore } from '../src/server/index.ts'

/** Options of one instance. */
export interface InstanceOptions extends Partial<DocumentsOptions>, Pick<AttachRealtimeOptions, 'authenticate' | 'authorize'> {
  /** Another way to the same Redis. */
  redisUrl?: string
  /** The times of its lease, short enough for a test. */
  lease?: { heartbeatMs: number; leaseMs: number }
}

/** Instances of one server in this process, and clients of them; all ended by `stop`. */
export interface Instances {
  /** Starts one more instance. Returns its address. */
  start(options?: InstanceOptions): Promise<string>
  client(url: string, auth?: Record<string, string>): RealtimeClient
  open(url: string, id: string): RealtimeDocument
  /** Of the instances, in the order of their starts. */
  readonly documents: readonly Documents[]
  readonly realtimes: readonly RealtimeServer[]
  /** Ends the instances and clients. The store stays open. */
  stop(): Promise<void>
}

/** Makes instances on one database, and on one Redis where `redisUrl` is given. */
export function createInstances(store: DocumentStore, redisUrl: string | undefined, onError: (error: unknown) => void): Instances {
  const all: Documents[] = []
  const realtimes: RealtimeServer[] = []
  const ends: (() => Promise<unknown>)[] = []
  const clients: RealtimeClient[] = []
  // A server closes its store; this one is shared.
  const shared: DocumentStore = { ...store, close: async () => {} }
  const client: Instances['client'] = (url, auth) => {
    const made = createRealtimeClient({ url, auth, transports: ['websocket'] })
    clients.push(made)
    return made
  }
  return {
    client,
    documents: all,
    realtimes,
    start: async ({ authenticate, authorize, lease, redisUrl: ownUrl = redisUrl, ...options } = {}) => {
      const pubsub = ownUrl === undefined ? undefined : new RealtimePubSub({ url: ownUrl })
      const coordination =
        lease && pubsub && createRedisCoordination(pubsub.link, { ...lease, instanceId: pubsub.instanceId, graceMs: 200, onError })
      const httpServer = createServer()
      const documents = createDocuments({ store: shared, storeIntervalMs: 20, unloadAfterMs: 20, ...options })
      all.push(documents)
      const rights = { ...(authenticate && { authenticate }), ...(authorize && { authorize }) }
      const realtime = attachRealtime(httpServer, {
        ...{ state: reactiveDriver(memory()), pubsub, documents, coordination, presence: false, ...rights, onWarning: () => {} },
        onError,
      })
      realtimes.push(realtime)
      await realtime.ready
      httpServer.listen(0, '127.0.0.1')
      await once(httpServer, 'listening')
      ends.push(async () => {
        await realtime.close()
        httpServer.close()
      })
      return `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`
    },
    open: (url, id) => document(client(url), id),
    stop: async () => {
      await Promise.all(clients.splice(0).map((each) => each.close()))
      await Promise.all(ends.splice(0).map((end) => end()))
    },
  }
}
