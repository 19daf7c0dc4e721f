import { RealtimeError } from '@tutti/protocol'
import { incrementSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import { attribution } from '../attribution.ts'
import { writesOf } from '../writes-of.ts'
import type { StateWriter } from '../state-writer.ts'

/** `storage:increment`: adds, atomically (S7). */
export const incrementHandler = (writer: StateWriter) =>
  defineHandler(
    'storage:increment',
    incrementSchema,
    ({ key, by }) => writesOf(key, by),
    async ({ mutation, ...change }, context) => {
      const { version, value } = await writer.write({ op: 'increment', ...change, ...attribution(mutation, context.connection) }, context)
      if (value === undefined) throw new RealtimeError('INTERNAL')
      return { value, version }
    },
  )
