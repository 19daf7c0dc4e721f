import { RealtimeError } from '@tutti/protocol'
import { patchMessageSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import { attribution } from '../attribution.ts'
import { writesOf } from '../writes-of.ts'
import type { StateWriter } from '../state-writer.ts'

/** `storage:patch`: merges by property (S8). */
export const patchHandler = (writer: StateWriter) =>
  defineHandler(
    'storage:patch',
    patchMessageSchema,
    ({ key, patch }) => writesOf(key, patch),
    async ({ mutation, ...change }, context) => {
      const { version, base } = await writer.write({ op: 'patch', ...change, ...attribution(mutation, context.connection) }, context)
      if (base === undefined) throw new RealtimeError('INTERNAL')
      return { version, base }
    },
  )
