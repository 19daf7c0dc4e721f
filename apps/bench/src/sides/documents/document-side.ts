import { spawnInstance, startPostgres, type Instance } from '@tutti/test-kit'
import { startMeasuredRedis, type MeasuredRedis } from '../../measure/measured-redis.ts'
import { cpuMsOf } from '../side.ts'

/** The servers of documents that are measured. */
export const DOCUMENT_SERVERS = {
  tutti: new URL('tutti-documents-instance.ts', import.meta.url),
  hocuspocus: new URL('hocuspocus-instance.ts', import.meta.url),
} as const

/** Name of a server of documents. */
export type DocumentServer = keyof typeof DOCUMENT_SERVERS

/** CPU (user and system) of a stretch, milliseconds. */
export interface DocumentCpu<T> {
  readonly result: T
  /** Of all instances. */
  readonly serverMs: number
  readonly redisMs: number
}

/** Instances with documents on a Redis and a PostgreSQL of their own, with a process of clients. */
export interface DocumentSide {
  readonly redis: MeasuredRedis
  readonly instances: readonly Instance[]
  /** Connects the clients of a load. */
  openLoad(name: string, plan: object): Promise<void>
  /** Runs a step of the load. */
  step(name: string, ...args: unknown[]): Promise<unknown>
  closeLoad(): Promise<void>
  measure<T>(run: () => Promise<T>): Promise<DocumentCpu<T>>
  stop(): Promise<void>
}

/** As documents are to be used: each append is on disk before its acknowledgement. */
const PERSISTED = ['--appendonly', 'yes', '--appendfsync', 'always']

/** Starts Redis, PostgreSQL and the processes. */
export async function startDocumentSide(server: DocumentServer, count: number): Promise<DocumentSide> {
  const [redis, postgres] = await Promise.all([startMeasuredRedis(PERSISTED), startPostgres()])
  const env = { REDIS_URL: redis.url, DATABASE_URL: await postgres.createDatabase(), NODE_OPTIONS: '--expose-gc' }
  const start = (): Promise<Instance> => spawnInstance(DOCUMENT_SERVERS[server], { env })
  const clients = await spawnInstance(new URL('../../load/documents/document-load-instance.ts', import.meta.url))
  const instances = await Promise.all(Array.from({ length: count }, start))
  const cpuMs = async (): Promise<number> => (await Promise.all(instances.map(cpuMsOf))).reduce((sum, ms) => sum + ms, 0)
  const failing = (error: unknown): never => {
    throw new Error(`${server}: ${String(error)}`, { cause: error })
  }
  return {
    redis,
    instances,
    openLoad: async (load, plan) => {
      const urls = instances.map(({ ready }) => ready['url'])
      await clients.call('open', load, server, urls, plan).catch(failing)
    },
    step: (step, ...args) => clients.call('step', step, ...args).catch(failing),
    closeLoad: async () => void (await clients.call('close')),
    measure: async (run) => {
      const [serverMs, redisMs] = [await cpuMs(), await redis.cpuMs()]
      const result = await run()
      return { result, serverMs: (await cpuMs()) - serverMs, redisMs: (await redis.cpuMs()) - redisMs }
    },
    stop: async () => {
      await Promise.all([clients.kill(), ...instances.map((instance) => instance.kill())])
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}
