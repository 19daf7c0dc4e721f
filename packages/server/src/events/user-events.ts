import { parsePattern, type RealtimeError } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import type { UserLink } from '../as-user/user-link.ts'
import type { ServerErrorListener } from '../feature.ts'
import { parseSubscriptionOptions } from '../subscription-options.ts'
import type { EventHandlers } from './event-handlers.ts'
import { parsePublishOptions, type ServerEvents } from './server-events.ts'

/** `realtime.as(user).events`: each call is the message that the user's own client would send. */
export const createUserEvents = (link: UserLink, handlers: EventHandlers, onError: ServerErrorListener): ServerEvents => ({
  publish: async (channel, data, options) => {
    await link.send(handlers.publish, { channel, data, ...parsePublishOptions(options) })
  },
  subscribe: (pattern, listener, options) => {
    const { onEnd = (error: RealtimeError) => onError(error, { stage: 'watch', subject: pattern }) } = parseSubscriptionOptions(
      'subscribe',
      options,
    )
    parsePattern(pattern)
    const subscription = link.subscribe(
      {
        'event:received': ({ channel, data }) => {
          callSafely(
            () => listener({ channel, data }),
            (error) => onError(error, { stage: 'listener', subject: pattern }),
          )
        },
      },
      onEnd,
    )
    if (subscription.isOpen) subscription.send(handlers.subscribe, { channel: pattern }).catch((error) => subscription.end(error))
    return () => subscription.close()
  },
})
