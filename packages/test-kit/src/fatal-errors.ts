/** Errors that would have ended a Node process, and a function that stops collecting them. */
export interface FatalErrors {
  readonly errors: unknown[]
  stop(): void
}

/** Collects uncaught exceptions and unhandled rejections. */
export function collectFatalErrors(): FatalErrors {
  const errors: unknown[] = []
  const note = (error: unknown): void => void errors.push(error)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  return {
    errors,
    stop: () => {
      process.off('uncaughtException', note)
      process.off('unhandledRejection', note)
    },
  }
}
