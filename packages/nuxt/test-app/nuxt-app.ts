import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually, freePort } from '@tutti/test-kit'

/** The folder with the installed packages. The tests use it one after another. */
const folder = process.env['TUTTI_NUXT_APP'] ?? ''
const NUXT = 'node_modules/nuxt/bin/nuxt.mjs'

/** The example, with the packages that `pnpm run test:nuxt` installed. */
export interface NuxtApp {
  readonly folder: string
  /** Runs a command to its end and returns its output; throws if it fails. */
  run(args: readonly string[]): Promise<string>
  /** Builds the application and copies `.output` to another folder, from which `serve` starts it. */
  build(): Promise<string>
  /** Starts an instance of the built application. */
  serve(env?: Record<string, string>): Promise<NuxtServer>
  /** Starts the dev server. */
  dev(env?: Record<string, string>): Promise<NuxtServer>
  remove(): Promise<void>
}

/** A running server on a free port of 127.0.0.1. */
export interface NuxtServer {
  readonly url: string
  /** All that it has printed. */
  readonly output: string
  /** Sends SIGTERM; returns after how many milliseconds the process has ended. */
  terminate(): Promise<number>
  /** Ends it at once. */
  kill(): Promise<void>
}

/** How a process is started. */
interface Start {
  cwd: string
  args: readonly string[]
  env?: Record<string, string>
}

/** Starts a process of Node, or of another runtime, in a group of its own: a dev server has children. */
function start({ cwd, args, env = {} }: Start, runtime = process.execPath) {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', runtime, ...args], {
    cwd,
    env: { PATH, HOME, NUXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  return { child, printed, exited: once(child, 'close') }
}

/** Starts a server; settles when it replies to `path`. */
export async function startServer(options: Start, path = '/', runtime = process.execPath): Promise<NuxtServer> {
  const port = String(await freePort())
  const args = options.args.map((arg) => (arg === '$PORT' ? port : arg))
  const { child, printed, exited } = start({ ...options, args, env: { HOST: '127.0.0.1', PORT: port, ...options.env } }, runtime)
  const url = `http://127.0.0.1:${port}`
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    const since = performance.now()
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, signal)
    await exited
    return performance.now() - since
  }
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`The server ended: ${printed.join('')}`)
      const { status } = await fetch(url + path)
      if (status !== 200) throw new Error(`It replies ${status}: ${printed.join('')}`)
    },
    { timeoutMs: 120_000, everyMs: 100 },
  )
  return {
    url,
    get output() {
      return printed.join('')
    },
    terminate: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  }
}

const EXAMPLE = fileURLToPath(new URL('../../../examples/nuxt', import.meta.url))
const MADE = new Set(['.nuxt', '.output', '.data', 'node_modules', 'package.json', 'package-lock.json'])

/** Puts the files of the example into the folder with the installed packages, and removes those of an earlier test. */
export async function createNuxtApp(): Promise<NuxtApp> {
  if (folder === '') throw new Error('Run these tests with `pnpm run test:nuxt`.')
  for (const name of await readdir(folder)) {
    if (!/^(node_modules|package.*json)$/.test(name)) await rm(join(folder, name), { recursive: true })
  }
  for (const name of await readdir(EXAMPLE)) {
    if (!MADE.has(name)) await cp(join(EXAMPLE, name), join(folder, name), { recursive: true })
  }
  const output = await mkdtemp(join(tmpdir(), 'tutti-nuxt-output-'))
  const run = async (args: readonly string[]): Promise<string> => {
    const { child, printed, exited } = start({ cwd: folder, args })
    await exited
    if (child.exitCode !== 0) throw new Error(printed.join(''))
    return printed.join('')
  }
  return {
    folder,
    run,
    build: async () => {
      const printed = await run([NUXT, 'build'])
      await rm(output, { recursive: true })
      await cp(join(folder, '.output'), output, { recursive: true, verbatimSymlinks: true })
      await rm(join(folder, '.output'), { recursive: true })
      return printed
    },
    serve: (env) => startServer({ cwd: output, args: ['server/index.mjs'], ...(env && { env }) }),
    dev: (env) => startServer({ cwd: folder, args: [NUXT, 'dev', '--host', '127.0.0.1', '--port', '$PORT'], ...(env && { env }) }),
    remove: () => rm(output, { recursive: true, force: true }),
  }
}
