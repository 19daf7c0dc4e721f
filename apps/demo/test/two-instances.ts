import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startRedis } from '@tutti/test-kit'
import { openBrowser } from '@tutti/test-kit/browser'
import type { Browser } from 'playwright-core'
import { DEMO_FOLDER } from '../scripts/demo-folder.ts'
import { startInstance } from '../scripts/start-instance.ts'

/** Two instances of the demo on one Redis, and a browser. */
export interface TwoInstances {
  readonly browser: Browser
  readonly addresses: readonly [string, string]
  /** The secret with which both sign their tokens. */
  readonly secret: string
  stop(): Promise<void>
}

/** Starts the build outside this repository: it has no other dependencies. */
export async function startTwoInstances(): Promise<TwoInstances> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-demo-'))
  cpSync(join(DEMO_FOLDER, '.output'), folder, { recursive: true })
  const file = join(folder, 'server/index.mjs')
  const secret = 'the two instances of a test share this secret'
  const redis = await startRedis()
  const env = { REDIS_URL: redis.url, SESSION_SECRET: secret, TRUST_PROXY: '1', ORIGINS: 'https://listed.example' }
  const start = async () => startInstance({ file, folder, port: await freePort(), env })
  const [first, second, browser] = await Promise.all([start(), start(), openBrowser()])
  return {
    browser,
    addresses: [first.address, second.address],
    secret,
    stop: async () => {
      await browser.close()
      await Promise.all([first.stop(), second.stop()])
      await redis.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
