import { eventPublishSchema } from '@tutti/protocol/schemas'
import { defineHandler } from '../../connection/handler.ts'
import type { EventHub } from '../event-hub.ts'

/** `event:publish`: to every subscriber in the cluster; to the publishing connection only with `includeSelf` (E2). */
export const publishHandler = (hub: EventHub) =>
  defineHandler(
    'event:publish',
    eventPublishSchema,
    ({ channel, data }) => [{ action: 'event:publish', target: { channel }, value: data }],
    async ({ channel, data, includeSelf = false }, connection) => {
      await hub.publish({ channel, data }, includeSelf ? undefined : connection.id)
      return {}
    },
  )
