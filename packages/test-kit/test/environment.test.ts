import { expect, test } from 'vitest'
import { cleanEnvironment } from '../../../vitest.environment.ts'

const OF_A_SHELL = {
  ...{ PORT: '1', HOST: '0.0.0.0', REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgres://x', SESSION_SECRET: 'x', CI: 'true' },
  ...{ HTTP_PROXY: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1', NO_PROXY: '', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'de' },
  ...{ NODE_ENV: 'production', LANG: 'de_DE.UTF-8', TZ: 'Pacific/Chatham' },
}

test('tests get programs, folders and our settings of a shell, and nothing else', () => {
  const kept = { PATH: '/bin', HOME: '/home/a', TUTTI_REPORT: 'report.json', FUZZ_SEED: '7', CHROMIUM: '/opt/chromium' }
  const env = { ...OF_A_SHELL, ...kept }
  cleanEnvironment(env)
  expect(env).toEqual({ ...kept, NODE_ENV: 'test', LANG: 'C.UTF-8', TZ: 'UTC', NODE_COMPILE_CACHE: expect.any(String) })
})

test('the environment of the tests is clean', () => {
  const env = { ...process.env }
  cleanEnvironment(env)
  expect(env).toEqual(process.env)
})
