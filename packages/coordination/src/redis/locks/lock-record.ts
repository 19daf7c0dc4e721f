import type { LockHolder } from '../../locks/lock-contract.ts'
import { memberOf } from '../../members/member-info.ts'

/**
 * A lock as Redis has it: `<token> o <owner> 0 <lease> <connection> <request> <user> <info>` while the holder is connected,
 * `<token> u <owner> <until> - - <request> <user> <info>` afterwards, and `<token> d` when it has ended.
 */
export type LockRecord =
  | { readonly state: 'ended'; readonly token: number }
  | {
      readonly state: 'open' | 'left'
      readonly token: number
      /** When it ends, milliseconds on Redis' clock; 0 while the holder is connected. */
      readonly until: number
      readonly lease: string
      readonly connection: string
      readonly request: string
      readonly holder: LockHolder
    }

const RECORD = /^(\d+) (?:d|([ou]) (\S+) (\d+) (\S+) (\S+) (\S+) (\S*) (.*))$/s

/** Parses a record; undefined for any other text. Throws for an info that is no JSON. */
export function parseLockRecord(text: string): LockRecord | undefined {
  const [, token, kind, , until, lease = '', connection = '', request = '', user = '', info = ''] = RECORD.exec(text) ?? []
  if (token === undefined) return undefined
  if (kind === undefined) return { state: 'ended', token: Number(token) }
  const { id: _id, infoJson: _infoJson, ...holder } = memberOf('', decodeURIComponent(user), info)
  return { state: kind === 'o' ? 'open' : 'left', token: Number(token), until: Number(until), lease, connection, request, holder }
}

/** The holder of a lock that has not ended. */
export const holderOf = (record: LockRecord | undefined): LockHolder | undefined =>
  record === undefined || record.state === 'ended' ? undefined : record.holder
