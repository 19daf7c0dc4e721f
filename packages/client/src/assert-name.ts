import { RealtimeError, type ErrorCode } from '@tutti/protocol'

/** The name itself, or throws. The grammar stands in `docs/protocol.md`; what exactly is wrong would be more to load than it is worth. */
export function assertName(isGood: (name: unknown) => boolean, name: string, code: ErrorCode): string {
  if (isGood(name)) return name
  throw new RealtimeError(code, { message: `Invalid name: ${name}` })
}
