import { callSafely } from '@tutti/protocol/internal'
import type { ServerErrorListener } from './feature.ts'

const OPEN = 'No `authorize` configured: every client can read and write all keys, and publish and receive all events.'

const NO_COORDINATION =
  'Presence, rooms and locks are off: no `coordination` configured. Pass one, or set `presence`, `rooms` and `locks` to false.'

const ALONE = 'No `pubsub` configured: running as a single instance. Changes and events are not sent to other instances.'

/** What a server works without. */
export interface StartupWarnings {
  isAlone: boolean
  isUncoordinated: boolean
  isOpen: boolean
  onWarning: (message: string) => void
  onError: ServerErrorListener
}

/** Warns once, at the start of a server, of what is probably not meant. */
export function warnAtStart({ isAlone, isUncoordinated, isOpen, onWarning, onError }: StartupWarnings): void {
  const messages = [isAlone && ALONE, isUncoordinated && NO_COORDINATION, isOpen && process.env['NODE_ENV'] === 'production' && OPEN]
  for (const message of messages) {
    if (message === false) continue
    callSafely(
      () => onWarning(message),
      (error) => onError(error, { stage: 'listener', subject: 'onWarning' }),
    )
  }
}
