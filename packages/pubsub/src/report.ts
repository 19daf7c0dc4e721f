import type { ErrorContext, PubSubOptions } from './contract.ts'

/** Hands a background failure to whoever listens. */
export type Report = (error: unknown, context: ErrorContext) => void

/** `onError` of the options, made harmless: what it throws itself has nowhere to go and is dropped. */
export const createReport =
  (onError: PubSubOptions['onError']): Report =>
  (error, context) => {
    try {
      onError?.(error, context)
    } catch {
      // It runs amid somebody else's work, which must go on.
    }
  }
