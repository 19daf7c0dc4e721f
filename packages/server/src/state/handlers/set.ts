import { setSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import { attribution } from '../attribution.ts'
import { writesOf } from '../writes-of.ts'
import type { StateWriter } from '../state-writer.ts'

/** `storage:set`: stores the value, on condition where `ifVersion` is given (S6). */
export const setHandler = (writer: StateWriter) =>
  defineHandler(
    'storage:set',
    setSchema,
    ({ key, value }) => writesOf(key, value),
    async ({ mutation, ...change }, context) => {
      const { version } = await writer.write({ op: 'set', ...change, ...attribution(mutation, context.connection) }, context)
      return { version }
    },
  )
