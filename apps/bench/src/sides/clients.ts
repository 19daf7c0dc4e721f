import { createAdapterDialect } from './adapter/adapter-dialect.ts'
import type { ConnectBenchClient } from './bench-client.ts'
import { createRelayWire } from './relay/relay-wire.ts'
import { socketIoClient } from './socket-io-bench-client.ts'
import { createSocketIoWire } from './socket-io-wire.ts'
import { createNumberedTuttiDialect, createTuttiDialect } from './tutti/tutti-dialect.ts'
import { webSocketClient } from './web-socket-client.ts'

/** The kinds of clients. The `light` ones are `webSocketClient`; the relay has no other. */
export const CLIENTS = {
  tutti: socketIoClient(createTuttiDialect),
  'tutti numbered light': webSocketClient(() => createSocketIoWire(createNumberedTuttiDialect())),
  'tutti light': webSocketClient(() => createSocketIoWire(createTuttiDialect())),
  'adapter light': webSocketClient(() => createSocketIoWire(createAdapterDialect())),
  relay: webSocketClient(createRelayWire),
} as const satisfies Record<string, ConnectBenchClient>

/** Name of a kind of clients. */
export type ClientName = keyof typeof CLIENTS
