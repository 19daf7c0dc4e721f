import { removeSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import { attribution } from '../attribution.ts'
import { writesOf } from '../writes-of.ts'
import type { StateWriter } from '../state-writer.ts'

/** `storage:remove`: the key has no value any more; its version goes on (S10). */
export const removeHandler = (writer: StateWriter) =>
  defineHandler(
    'storage:remove',
    removeSchema,
    ({ key }) => writesOf(key),
    async ({ mutation, ...change }, context) => {
      const { version } = await writer.write({ op: 'remove', ...change, ...attribution(mutation, context.connection) }, context)
      return { version }
    },
  )
