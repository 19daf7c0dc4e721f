import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { manualClock, type ManualClock } from './manual-clock.ts'
import { ModelServer } from './model-server.ts'

export interface TestClient {
  client: RealtimeClient
  server: ModelServer
  clock: ManualClock
  network: TestNetwork
  errors: unknown[]
}

/** The network state of the machine, as set by the test. */
export interface TestNetwork {
  up: boolean
  readonly listeners: Set<() => void>
  turn(up: boolean): void
  /** The machine wakes up. */
  wake(): void
}

function testNetwork(): TestNetwork {
  const network: TestNetwork = {
    up: true,
    listeners: new Set(),
    turn: (up) => {
      network.up = up
      network.wake()
    },
    wake: () => {
      for (const listener of network.listeners) listener()
    },
  }
  return network
}

/** A client on a server in memory, not yet connected. */
export function startClient(options: RealtimeClientOptions = {}, server = new ModelServer(), clock = manualClock()): TestClient {
  const network = testNetwork()
  const errors: unknown[] = []
  const client = createRealtimeClient({
    transport: server.transport,
    clock,
    random: () => 0.5,
    network: {
      online: () => network.up,
      onChange: (listener) => {
        network.listeners.add(listener)
        return () => void network.listeners.delete(listener)
      },
    },
    onError: (error) => errors.push(error),
    ...options,
  })
  return { client, server, clock, network, errors }
}

/** A client that is connected. */
export async function connectedClient(
  options: RealtimeClientOptions = {},
  server = new ModelServer(),
  clock = manualClock(),
): Promise<TestClient> {
  const started = startClient(options, server, clock)
  await server.flush()
  return started
}

/** Lets promises settle. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The code that a promise rejects with. */
export const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (typeof error === 'object' && error !== null && 'code' in error ? error.code : error),
  )

/** The server refuses the next requests of this name with these errors, one each. */
export const failNext = (server: ModelServer, name: string, ...errors: RealtimeError[]): void => {
  server.judge = (request) => (request.name === name ? errors.shift() : undefined)
}

/** How many requests the client sends by itself within a minute. */
export async function ownRequests({ server, clock }: Pick<TestClient, 'server' | 'clock'>): Promise<number> {
  const before = server.log.length
  clock.advance(60_000)
  await server.flush()
  return server.log.length - before
}

/** The error of a server without its store. */
export const unavailable = (retryAfterMs?: number): RealtimeError => new RealtimeError('UNAVAILABLE', { retryAfterMs })
