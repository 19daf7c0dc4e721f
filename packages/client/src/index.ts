export type { Clock } from './connection/clock.ts'
export type { ConnectionState } from './connection/connection-contract.ts'
export {
  createRealtimeClient,
  type Auth,
  type ClientConnection,
  type ErrorContext,
  type RealtimeClient,
  type RealtimeClientOptions,
} from './create-realtime-client.ts'
export type { EventContext, EventData, EventMap, Events, PublishOptions } from './events/events.ts'
export type { OfflineQueue, PendingChangeStore, OfflineQueueContext } from './state/pending-change-store.ts'
export type { PendingChange } from './state/key-state.ts'
export type { Network } from './connection/network.ts'
export type { OpenState, SchemaState, SchemaTypes, StateOf } from './schema-types.ts'
export { socketTransport, type SocketTransportOptions } from './connection/socket-transport.ts'
export type { Observable } from './observable.ts'
export type { MergePatch, StateHandle, StateOptions, StateSnapshot } from './state/state-contract.ts'
export type { Link, LinkListener, ServerMessage, Transport } from './connection/transport.ts'
