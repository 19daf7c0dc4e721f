import { RealtimeError } from '@tutti/protocol'

/** The error for a missing connection; `message` contains the reason. */
export const unavailableError = (message: string, cause?: unknown): RealtimeError => new RealtimeError('UNAVAILABLE', { message, cause })
