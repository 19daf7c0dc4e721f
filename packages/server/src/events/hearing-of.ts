import { isPattern } from '@tutti/protocol'
import type { Access } from '../authorization/authorize.ts'

/** What it is to hear a channel or pattern. */
export const hearingOf = (channel: string): Access => ({
  action: 'event:subscribe',
  target: isPattern(channel) ? { pattern: channel } : { channel },
})
