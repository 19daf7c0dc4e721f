import { RealtimeError, parseKey, parsePrefix } from '@tutti/protocol'
import { isAbsent } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { StoredEntry, StoredPage } from '../contract.ts'
import type { IndexClaims } from './index-claims.ts'
import type { KeyNames } from './key-names.ts'
import { rowOf } from './reply.ts'

const PAGE_SIZE = 1_000

/** Dependencies of the index. */
export interface RedisIndexOptions {
  link: RedisLink
  names: KeyNames
  claims: IndexClaims
  readOne(key: string, how: 'list'): Promise<StoredEntry>
}

/** The index of all keys: a sorted set without scores, so in byte order, written by the scripts (S17). */
export interface RedisIndex {
  list(prefix: string, after: string | undefined): Promise<StoredPage>
  keys(prefix: string): Promise<string[]>
  reindex(): Promise<void>
}

/** Creates the reading side of the index. It may temporarily contain too many names, so each name is checked. */
export function createRedisIndex({ link, names, claims, readOne }: RedisIndexOptions): RedisIndex {
  const pageOf = async (prefix: string, after: string | undefined): Promise<string[]> => {
    // `;` is the byte after the `:` that ends a prefix.
    const end = prefix === '' ? '+' : `(${prefix.slice(0, -1)};`
    const start = after === undefined ? `[${prefix}` : `(${after}`
    return rowOf(await link.command('ZRANGEBYLEX', names.index, start, end, 'LIMIT', 0, PAGE_SIZE)).map(String)
  }

  const holding = async (key: string): Promise<boolean> => (await link.command('EXISTS', names.value(parseKey(key)))) === 1

  const forget = (key: string): Promise<void> => claims.forget(key, () => readOne(key, 'list'))

  /** On a Cluster each master knows only its own keys. */
  const reindexMaster = async (master: Pick<RedisLink, 'command'>): Promise<void> => {
    let cursor = '0'
    do {
      const [next, page] = rowOf(await master.command('SCAN', cursor, 'MATCH', names.pattern, 'COUNT', PAGE_SIZE, 'TYPE', 'string'))
      cursor = String(next)
      const keys = rowOf(page ?? []).flatMap((name) => names.keyOf(String(name)) ?? [])
      if (keys.length > 0) await link.command('ZADD', names.index, ...keys.flatMap((key) => [0, key]))
    } while (cursor !== '0')
  }

  return {
    list: async (prefix, after) => {
      if (prefix !== '') parsePrefix(prefix)
      const keys = await pageOf(prefix, after === undefined ? undefined : parseKey(after))
      const found = await Promise.all(keys.map((key) => readOne(key, 'list').catch(unlessWrongType)))
      const entries = found.filter((entry) => entry !== undefined).filter((entry) => !isAbsent(entry))
      await Promise.all(keys.filter((_, place) => isGone(found[place])).map(forget))
      return { entries, after: keys.length < PAGE_SIZE ? undefined : keys.at(-1) }
    },
    keys: async (prefix) => {
      const found: string[] = []
      for (let after: string | undefined; ;) {
        const page = await pageOf(prefix, after)
        const exist = await Promise.all(page.map(holding))
        found.push(...page.filter((_, place) => exist[place]))
        if (page.length < PAGE_SIZE) return found
        after = page.at(-1)
      }
    },
    reindex: async () => void (await Promise.all(link.masters().map(reindexMaster))),
  }
}

const isGone = (entry: StoredEntry | undefined): boolean => entry !== undefined && isAbsent(entry)

/** A hash of another program under one key must not fail the whole listing. */
function unlessWrongType(error: unknown): undefined {
  if (error instanceof RealtimeError && error.code === 'WRONG_TYPE') return undefined
  throw error
}
