/** A member as the hash of its room contains it. */
export interface MemberRecord {
  readonly name: string
  readonly lease: string
  readonly connection: string
  readonly number: number
  readonly id: string
  readonly isListed: boolean
  readonly user: string
  readonly infoJson: string
}

const RECORD = /^(\S+) (\S+) (\d+) (\S+) ([lc])\d* (\S*) (.*)$/s

/** The record of a member, from its key and text; undefined for any other text. */
export function parseMemberRecord(name: string, text: string): MemberRecord | undefined {
  const [, lease, connection, number, id, kind, user, infoJson] = RECORD.exec(text) ?? []
  if (lease === undefined || connection === undefined || id === undefined || infoJson === undefined) return undefined
  return { name, lease, connection, number: Number(number), id, isListed: kind === 'l', user: decodeURIComponent(user ?? ''), infoJson }
}
