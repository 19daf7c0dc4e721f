export type { Clock } from './clock.ts'
export type { ConnectionState } from './connection-contract.ts'
export {
  createRealtimeClient,
  type Auth,
  type ClientConnection,
  type ErrorContext,
  type RealtimeClient,
  type RealtimeClientOptions,
} from './create-realtime-client.ts'
export type { EventContext, EventData, EventMap, Events, PublishOptions } from './events.ts'
export type { KeepChanges, KeptChanges, KeptChangesContext } from './kept-changes.ts'
export type { KeyState, PendingChange } from './key-state.ts'
export type { Network } from './network.ts'
export type { OpenState, SchemaState, SchemaTypes, StateOf } from './schema-types.ts'
export { socketTransport, type SocketTransportOptions } from './socket-transport.ts'
export type { Source } from './source.ts'
export type { MergePatch, StateHandle, StateOptions, StateSnapshot } from './state-contract.ts'
export type { Link, LinkListener, Notice, Transport } from './transport.ts'
