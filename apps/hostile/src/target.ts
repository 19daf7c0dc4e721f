import { randomUUID } from 'node:crypto'
import { documentedAcl, spawnInstance, startPostgres, startRedis, type Instance } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { FORBIDDEN_KEYS } from './hostile-names.ts'

const INSTANCE = new URL('./target-instance.ts', import.meta.url)

/**
 * Keys that attackers may write, or that legitimate clients write in the meantime, with the lists of rooms in which an instance has
 * members; all others must stay unchanged.
 */
const CHANGING =
  /^\{?tutti:((public|scores|shared|user:mallory|room:2:club):|user:alice:live)|^tutti\$index$|^\{tutti\$room:(?:(?:\$document:)?(?:public:|user:mallory:)|user:alice:live\})|^\{tutti\$instance:[^}]+\}\$holds$|^\{tutti\$log:document:(?:public:|user:mallory:)|^\{tutti\$log:event:(?:public:|user:mallory:|user:alice:inbox\})|^tutti\$channels:public:8$/

/** Two instances under the documented Redis user, with secrets that no attacker may access. */
export interface Target {
  readonly instances: readonly Instance[]
  readonly urls: readonly string[]
  /** Part of every secret. A client that receives it has read protected data. */
  readonly canary: string
  readonly redis: Redis
  /** Stored scores that violate the schema. */
  badScores(): Promise<string[]>
  /** The Redis keys with their values that no attacker may change. */
  untouchable(): Promise<Record<string, string>>
  close(): Promise<void>
}

/** Starts it. */
export async function startTarget(): Promise<Target> {
  const acl = documentedAcl()
  const server = await startRedis(acl)
  const urlOf = (credentials: string): string => server.url.replace('//', `//${credentials}@`)
  const redis = new Redis(urlOf(acl.adminCredentials))
  const canary = `canary-${randomUUID()}`
  for (const key of FORBIDDEN_KEYS) {
    if (key.startsWith('shared:')) continue
    await redis.set(`tutti:${key}`, JSON.stringify({ secret: canary }))
    await redis.set(`{tutti:${key}}$meta`, JSON.stringify({ secret: canary }))
  }
  await redis.mset('other:secret', canary, 'tutti2:secret', canary, '{tutti:user:alice:notes}$m:alice:alice-client', `7 ok 1 ${canary}`)
  const postgres = await startPostgres()
  const env = {
    REDIS_URL: urlOf(acl.credentials),
    CANARY: canary,
    DATABASE_URL: await postgres.createDatabase(),
    NODE_OPTIONS: '--expose-gc',
  }
  const instances = await Promise.all([spawnInstance(INSTANCE, { env }), spawnInstance(INSTANCE, { env })])
  const isPlain = async (name: string): Promise<boolean> => (await redis.type(name)) === 'string'
  return {
    instances,
    urls: instances.map(({ ready }) => `http://127.0.0.1:${Number(ready['port'])}`),
    canary,
    redis,
    badScores: async () => {
      const names = await redis.keys('tutti:scores:*')
      const texts = await Promise.all(names.map((name) => redis.get(name)))
      return texts.filter((text): text is string => text !== null).filter((text) => !isScore(JSON.parse(text)))
    },
    untouchable: async () => {
      const found: Record<string, string> = {}
      for (const name of (await redis.keys('*')).filter((each) => !CHANGING.test(each)).toSorted())
        found[name] = (await isPlain(name)) ? ((await redis.get(name)) ?? '') : await redis.type(name)
      return found
    },
    close: async () => {
      await Promise.all(instances.map((instance) => instance.kill()))
      redis.disconnect()
      await postgres.stop()
      await server.stop()
    },
  }
}

const isScore = (value: unknown): boolean => Number.isInteger(value) && Number(value) <= 1_000
