import { callback, logError, safeErrorListener, type OptionRows } from '@tutti/protocol/internal'
import type { ErrorContext, PubSubOptions } from './contract.ts'

/** Reports a background failure to the listener. */
export type Report = (error: unknown, context: ErrorContext) => void

/** The accepted values of the options that every `PubSub` has. */
export const PUBSUB_OPTIONS = { onError: callback(undefined) } satisfies OptionRows<PubSubOptions>

/** The default listener: a lost connection is a process warning, because it recovers by itself. */
const warn: Report = (error, context) => {
  if (context.stage === 'connection') process.emitWarning(error instanceof Error ? error.message : String(error), 'TuttiWarning')
  else logError(error, context)
}

/** `onError` of the options, made safe: its own errors are logged, because the reporting code must continue. */
export const createReport = (onError: PubSubOptions['onError'] = warn): Report => safeErrorListener(onError)
