import { RealtimeError, type ErrorCode } from '@tutti/protocol'

/**
 * The name itself, or throws. The README of `@tutti/protocol` contains the grammar; messages that explain each violation would be too large
 * for a browser.
 */
export function assertName(isGood: (name: unknown) => boolean, name: string, code: ErrorCode): string {
  if (isGood(name)) return name
  throw new RealtimeError(code, { message: `Invalid name: ${name} (see @tutti/protocol)` })
}
