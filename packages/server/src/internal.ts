// What `@tutti/documents` is built on. Not for applications: it changes without notice.
export type { AccessControl } from './authorization/access-control.ts'
export type { Access } from './authorization/authorize.ts'
export type { Connection } from './connection/connection.ts'
export { defineHandler, PlacedReply, type Handler } from './connection/handler.ts'
export { BINARY } from './connection/shared-reply.ts'
export { offsetText, parseOffset } from './durable/log-offset.ts'
export type { Core, Feature, FeatureFactory } from './feature.ts'
