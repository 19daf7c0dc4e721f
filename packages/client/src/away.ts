import { RealtimeError } from '@tutti/protocol'

/** The error of whatever has no connection; `message` says why. */
export const away = (message: string, cause?: unknown): RealtimeError => new RealtimeError('UNAVAILABLE', { message, cause })
