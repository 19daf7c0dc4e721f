import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startPostgres, startRedis } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { DEMO_FOLDER } from '../scripts/demo-folder.ts'
import { startInstance, type DemoInstance } from '../scripts/start-instance.ts'

/** Two instances of the demo on one Redis, and a browser. */
export interface TwoInstances {
  readonly browser: Browser
  readonly addresses: readonly [string, string]
  /** The built server. */
  readonly file: string
  /** The secret with which both sign their tokens. */
  readonly secret: string
  /** Starts a further instance, which is stopped like the two. */
  startAnother(port: number, env?: Record<string, string>): Promise<DemoInstance>
  stop(): Promise<void>
}

/** What they have. */
export interface TwoInstancesOptions {
  /** Starts a PostgreSQL, in which they store documents. */
  hasDocuments?: boolean
}

/** Starts the build outside this repository: it has no other dependencies. */
export async function startTwoInstances({ hasDocuments = false }: TwoInstancesOptions = {}): Promise<TwoInstances> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-demo-'))
  cpSync(join(DEMO_FOLDER, '.output'), folder, { recursive: true })
  const file = join(folder, 'server/index.mjs')
  const secret = 'the two instances of a test share this secret'
  const [redis, postgres] = await Promise.all([startRedis(), hasDocuments ? startPostgres() : undefined])
  const database = await postgres?.createDatabase()
  const env = {
    ...(database !== undefined && { DATABASE_URL: database }),
    REDIS_URL: redis.url,
    SESSION_SECRET: secret,
    TRUST_PROXY: '1',
    ORIGINS: 'https://listed.example',
  }
  const instances: DemoInstance[] = []
  const start = async (port: number, more: Record<string, string> = {}): Promise<DemoInstance> => {
    const instance = await startInstance({ file, folder, port, env: { ...env, ...more } })
    instances.push(instance)
    return instance
  }
  const [first, second, browser] = await Promise.all([
    freePort().then((port) => start(port)),
    freePort().then((port) => start(port)),
    openBrowser(),
  ])
  return {
    browser,
    file,
    addresses: [first.address, second.address],
    secret,
    startAnother: start,
    stop: async () => {
      await browser.close()
      await Promise.all(instances.map((instance) => instance.stop()))
      await Promise.all([redis.stop(), postgres?.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
