import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { eventually, freePort } from '@tutti/test-kit'

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
export function startProcess({ cwd, args, env = {} }: Start, runtime = process.execPath) {
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
  const { child, printed, exited } = startProcess({ ...options, args, env: { HOST: '127.0.0.1', PORT: port, ...options.env } }, runtime)
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
