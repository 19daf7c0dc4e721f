import { RealtimeError } from '@tutti/protocol'

/** The error of whatever has no connection; `message` says why. */
export const unavailableError = (message: string, cause?: unknown): RealtimeError => new RealtimeError('UNAVAILABLE', { message, cause })
