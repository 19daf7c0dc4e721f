import type { JsonValue } from '@tutti/protocol'
import type { Member } from '../contract.ts'

/** The text of an info as it is stored; '' where there is none. */
export const infoText = (info: JsonValue | undefined): string => (info === undefined ? '' : JSON.stringify(info))

/** The member with an info in that form. Throws for text that is no JSON. */
export function memberOf(id: string, user: string, infoJson: string): Member {
  if (infoJson === '') return { id, user }
  const info: unknown = JSON.parse(infoJson)
  // It was a `JsonValue` when it was written.
  return { id, user, info: info as JsonValue, infoJson }
}

/** Whether observers see no difference. */
export const isSameMember = (a: Member, b: Member): boolean => a.user === b.user && a.infoJson === b.infoJson
