import { createMemoryBus, MemoryPubSub } from '@tutti/pubsub'
import { createRealtimeServer, type RealtimeServer } from '@tutti/server'
import { reactiveDriver, type ReactiveDriver } from '@tutti/storage-driver'
import { fromWireError, RealtimeError } from '@tutti/protocol'
import type { ServerMessage, Transport } from '@tutti/client'
import { MemoryEngine, type MemoryLink } from '@tutti/test-kit'
import { Server } from 'socket.io'
import memoryDriver from 'unstorage/drivers/memory'
import { FuzzedStore } from './fuzzed-store.ts'

/** One server process in memory: the real server on the real Socket.IO, without network and Redis. */
export interface FuzzedInstance {
  readonly store: FuzzedStore
  readonly transport: Transport
}

/** Instances that share a store and a relay. */
export interface FuzzedCluster {
  readonly instances: readonly FuzzedInstance[]
  readonly state: ReactiveDriver
  /** Every connection that was ever made. */
  readonly links: MemoryLink[]
  readonly errors: unknown[]
  /** The relay, which can be interrupted and restored. */
  readonly bus: ReturnType<typeof createMemoryBus>
  close(): Promise<void>
}

/** Starts instances; messages advance only when they are delivered by the test. */
export function startFuzzedCluster(count: number): FuzzedCluster {
  const state = reactiveDriver(memoryDriver())
  const bus = createMemoryBus()
  const links: MemoryLink[] = []
  const errors: unknown[] = []
  const servers: RealtimeServer[] = []

  const start = (): FuzzedInstance => {
    const engine = new MemoryEngine()
    const io = new Server({ serveClient: false })
    io.bind(engine)
    const store = new FuzzedStore(state)
    servers.push(
      createRealtimeServer({
        io,
        state: store,
        pubsub: new MemoryPubSub({ bus, onError: () => {} }),
        onError: (error) => errors.push(error),
        // That the instances are alone, for each schedule.
        onWarning: () => {},
      }),
    )
    const transport: Transport = (handshake, listener) => {
      const link = engine.connect(handshake, {
        onEvent: (name, payload) => listener.onMessage({ name, payload } as ServerMessage),
        onRefused: (data) => listener.onClose(fromWireError(data)),
        onClose: () => listener.onClose(new RealtimeError('UNAVAILABLE', { message: 'The link is cut.' })),
      })
      links.push(link)
      return { request: (name, payload, answer) => link.request(name, payload, answer ?? (() => {})), close: () => link.close() }
    }
    return { store, transport }
  }

  const instances = Array.from({ length: count }, start)
  return {
    instances,
    state,
    links,
    errors,
    bus,
    close: async () => {
      await Promise.all(servers.map((server) => server.close()))
      await state.dispose()
    },
  }
}
