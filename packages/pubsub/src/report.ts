import type { ErrorContext, PubSubOptions } from './contract.ts'

/** Hands a background failure to whoever listens. */
export type Report = (error: unknown, context: ErrorContext) => void

/** Where nobody listens, a lost connection is still said once, for without it nothing works. */
const warn: Report = (error, { stage }) => {
  if (stage === 'connection') process.emitWarning(error instanceof Error ? error.message : String(error), 'TuttiWarning')
}

/** `onError` of the options, made harmless: what it throws itself has nowhere to go and is dropped. */
export const createReport =
  (onError: PubSubOptions['onError'] = warn): Report =>
  (error, context) => {
    try {
      onError(error, context)
    } catch {
      // It runs amid somebody else's work, which must go on.
    }
  }
