import { RealtimeError } from '@tutti/protocol'

/** The error without a connection; `message` names the reason. */
export const unavailableError = (message: string, cause?: unknown): RealtimeError => new RealtimeError('UNAVAILABLE', { message, cause })
