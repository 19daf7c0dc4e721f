import { sendToRedis, type TestRedis } from '@tutti/test-kit'

const LEASES = '{tutti$instances:all}$leases'

/** A grant that a client knows. */
export interface Binding {
  readonly client: string
  readonly key: string
  readonly token: number
}

/** A lock in Redis that has not ended. */
export interface StoredLock {
  readonly key: string
  readonly token: number
  /** The connection of its holder was lost. */
  readonly isLeft: boolean
}

/** The leases of living instances. */
export async function livingLeases(nodes: readonly TestRedis[]): Promise<string[]> {
  const leases = await Promise.all(nodes.map((node) => sendToRedis(node, 'ZRANGE', LEASES, '0', '-1').catch(() => [])))
  return [...new Set(leases.flatMap(textsOf))]
}

/** The locks in Redis that have not ended. */
export async function storedLocks(nodes: readonly TestRedis[]): Promise<StoredLock[]> {
  const stored = new Map<string, StoredLock>()
  for (const node of nodes) {
    const names = textsOf(await sendToRedis(node, 'KEYS', '{tutti:*}$lock'))
    for (const name of names) {
      const record = String(await sendToRedis(node, 'GET', name))
      const [, token, kind] = /^(\d+) ([ou]) /.exec(record) ?? []
      const key = name.slice('{tutti:'.length, -'}$lock'.length)
      if (token !== undefined) stored.set(key, { key, token: Number(token), isLeft: kind === 'u' })
    }
  }
  return [...stored.values()]
}

/** Locks whose holder does not know them, and grants that clients know although they have ended, in words. */
export function lockDifferences(stored: readonly StoredLock[], bindings: readonly Binding[]): string[] {
  const same = (a: Pick<Binding, 'key' | 'token'>, b: Pick<Binding, 'key' | 'token'>): boolean => a.key === b.key && a.token === b.token
  const unknown = stored.filter((lock) => lock.isLeft || bindings.filter((binding) => same(lock, binding)).length !== 1)
  const ended = bindings.filter((binding) => !stored.some((lock) => same(lock, binding)))
  return [
    ...unknown.map(({ key, token, isLeft }) => `${key} is locked with ${token}, which ${isLeft ? 'has no connection' : 'no client knows'}`),
    ...ended.map(({ client, key, token }) => `${client} has ${token} of ${key}, which has ended`),
  ]
}

const textsOf = (reply: unknown): string[] => (Array.isArray(reply) ? reply.map(String) : [])
