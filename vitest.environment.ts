import { join } from 'node:path'

/** What the tests and the processes that they start get of the user's environment: programs, folders, colours and our own settings. */
const KEPT = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'LD_LIBRARY_PATH', 'TERM', 'COLORTERM', 'FORCE_COLOR', 'NO_COLOR'],
  ...['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'CHROMIUM', 'PINIA_LOADS', 'RUNS'],
]
const KEPT_PREFIXES = ['TUTTI_', 'FUZZ_', 'VITEST']

/** Set by Vitest in its workers. */
const OF_VITEST = ['TEST', 'FORCE_TTY', 'PROD', 'DEV', 'MODE', 'BASE_URL', 'SSR']

/** The same for all users. Processes of the tests share the code that V8 has compiled, so they start in half of the time. */
const FIXED: Readonly<Record<string, string>> = {
  ...{ NODE_ENV: 'test', LANG: 'C.UTF-8', TZ: 'UTC' },
  NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled'),
}

const isKept = (name: string): boolean =>
  KEPT.includes(name) || OF_VITEST.includes(name) || name in FIXED || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix))

/**
 * Removes all variables from the environment that could change the result of a test, for example PORT, REDIS_URL, CI, HTTP_PROXY
 * and LC_ALL. Vitest starts its workers with the environment of its main process, and the tests start their processes with that
 * of the worker.
 */
export function cleanEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (!isKept(name)) delete env[name]
  Object.assign(env, FIXED)
}
