import { RealtimeError, type JsonValue, type MutationId, type Requests } from '@tutti/protocol'
import { incrementSchema, patchMessageSchema, removeSchema, setSchema, type MessageSchema } from '@tutti/protocol/internal/schemas'
import type { Mutation, MutationAuthor, WriteResult } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import { defineHandler, type Handler } from '../connection/handler.ts'
import type { GuardOf } from '../locks/write-guards.ts'
import type { ValidatedWrite } from './schema-validation.ts'
import { writeAccess } from './state-access.ts'
import type { StateDelivery } from './state-delivery.ts'

type WriteName = 'storage:set' | 'storage:remove' | 'storage:increment' | 'storage:patch'
type Payload<Name extends WriteName> = Requests[Name]['payload']

/** One kind of write. */
interface WriteRow<Name extends WriteName> {
  readonly schema: MessageSchema<Payload<Name>>
  /** What `authorize` is given as the value. */
  valueOf(message: Payload<Name>): JsonValue | undefined
  /** The mutation, with its author and the id of the connection that makes it. */
  mutationOf(message: Payload<Name>, from: Pick<Mutation, 'author' | 'writer'>): Mutation
  /** What the reply contains of the store's result. */
  resultOf(result: WriteResult): Requests[Name]['result']
}

/** The handlers of all writes. */
export interface WriteHandlers {
  readonly set: Handler<'storage:set'>
  readonly remove: Handler<'storage:remove'>
  readonly increment: Handler<'storage:increment'>
  readonly patch: Handler<'storage:patch'>
}

/** Makes the handlers: what a write is allowed to do, how it is done, and where its reply has its place. */
export function createWriteHandlers(delivery: Pick<StateDelivery, 'duringWrite'>, write: ValidatedWrite, guardOf: GuardOf): WriteHandlers {
  const handlerOf = <Name extends WriteName>(name: Name, { schema, valueOf, mutationOf, resultOf }: WriteRow<Name>): Handler<Name> =>
    defineHandler(
      name,
      schema,
      (message) => [writeAccess(message.key, valueOf(message))],
      (message, connection) => {
        const mutation = mutationOf(message, { author: authorOf(message.mutation, connection), writer: connection.id })
        const { key, lock, mutation: id } = message
        const guard = guardOf(connection, { key, lock, clientId: id?.clientId || connection.clientId })
        return delivery.duringWrite(connection, mutation, guard === undefined ? write : () => write(mutation, guard), resultOf)
      },
    )

  return {
    // Stores the value, on condition where `ifVersion` is given (S6).
    set: handlerOf('storage:set', {
      schema: setSchema,
      valueOf: ({ value }) => value,
      mutationOf: ({ key, value, ifVersion, ttlMs }, from) => ({ op: 'set', key, value, ifVersion, ttlMs, ...from }),
      resultOf: ({ version }) => ({ version }),
    }),
    // The key has no value any more; its version continues (S10).
    remove: handlerOf('storage:remove', {
      schema: removeSchema,
      valueOf: () => undefined,
      mutationOf: ({ key, ifVersion }, from) => ({ op: 'remove', key, ifVersion, ...from }),
      resultOf: ({ version }) => ({ version }),
    }),
    // Adds, atomically (S7).
    increment: handlerOf('storage:increment', {
      schema: incrementSchema,
      valueOf: ({ by }) => by,
      mutationOf: ({ key, by, initial }, from) => ({ op: 'increment', key, by, initial, ...from }),
      resultOf: ({ version, value }) => ({ version, value: given(value) }),
    }),
    // Merges by property (S8).
    patch: handlerOf('storage:patch', {
      schema: patchMessageSchema,
      valueOf: ({ patch }) => patch,
      mutationOf: ({ key, patch }, from) => ({ op: 'patch', key, patch, ...from }),
      resultOf: ({ version, base }) => ({ version, base: given(base) }),
    }),
  }
}

/** The author that makes a numbered mutation take effect once (S12). */
function authorOf(id: MutationId | undefined, connection: Connection): MutationAuthor | undefined {
  if (id === undefined) return undefined
  const clientId = id.clientId || connection.clientId
  if (clientId === undefined)
    throw new RealtimeError('INVALID_MESSAGE', {
      message: 'Missing clientId: a mutation with a number requires one, in the mutation or in the handshake.',
    })
  return { user: connection.user, clientId, number: id.number }
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RealtimeError('INTERNAL', { message: 'The store returned an incomplete result of a write.' })
  return value
}
