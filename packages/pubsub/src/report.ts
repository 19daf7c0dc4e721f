import { callback, logError, safeErrorListener, type OptionRows } from '@tutti/protocol'
import type { ErrorContext, PubSubOptions } from './contract.ts'

/** Hands a background failure to whoever listens. */
export type Report = (error: unknown, context: ErrorContext) => void

/** What the options that every `PubSub` has take. */
export const PUBSUB_OPTIONS = { onError: callback(undefined) } satisfies OptionRows<PubSubOptions>

/** Where nobody listens, a lost connection is a warning of the process: it comes back by itself. */
const warn: Report = (error, context) => {
  if (context.stage === 'connection') process.emitWarning(error instanceof Error ? error.message : String(error), 'TuttiWarning')
  else logError(error, context)
}

/** `onError` of the options, made safe: what it throws is logged, because the code that reports must continue. */
export const createReport = (onError: PubSubOptions['onError'] = warn): Report => safeErrorListener(onError)
