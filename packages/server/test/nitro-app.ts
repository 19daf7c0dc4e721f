import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually, freePort } from '@tutti/test-kit'

const SERVER = fileURLToPath(new URL('..', import.meta.url))

/** A small Nitro application in a folder of its own, as a user has it. */
export interface NitroApp {
  readonly folder: string
  /** Runs a command of the application to its end; returns its output, throws if it failed. */
  run(args: readonly string[], env?: Record<string, string>): Promise<string>
  /** Starts a server of the application on a free port; settles when it answers. */
  serve(args: (port: number) => readonly string[], env?: Record<string, string>): Promise<NitroServer>
  remove(): Promise<void>
}

/** A running server of it. */
export interface NitroServer {
  readonly url: string
  /** What it has printed so far. */
  readonly output: string
  /** Sends SIGTERM; settles when the process has ended, with the milliseconds that took. */
  terminate(): Promise<number>
  /** Ends it at once. */
  kill(): Promise<void>
}

/** Copies an application out of the repository and links what it depends on. */
export async function createNitroApp(source: URL): Promise<NitroApp> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-nitro-'))
  const modules = join(folder, 'node_modules')
  await cp(source, folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  await mkdir(join(modules, '@tutti'), { recursive: true })
  for (const name of await readdir(join(SERVER, 'node_modules'))) {
    if (!/^[.@]/.test(name)) await symlink(join(SERVER, 'node_modules', name), join(modules, name))
  }
  for (const name of ['protocol', 'pubsub', 'server', 'storage-driver']) {
    await symlink(join(dirname(SERVER), name), join(modules, '@tutti', name))
  }

  const start = (args: readonly string[], env: Record<string, string>) => {
    // With CI or TEST in the environment Nitro 3 does not shut down on signals, so it gets none of ours.
    const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], {
      cwd: folder,
      env: { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS: '--conditions=@tutti/source', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const printed: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => printed.push(text))
    return { child, printed, exited: once(child, 'close') }
  }

  return {
    folder,
    run: async (args, env = {}) => {
      const { child, printed, exited } = start(args, env)
      await exited
      if (child.exitCode !== 0) throw new Error(printed.join(''))
      return printed.join('')
    },
    serve: async (args, env = {}) => {
      const port = await freePort()
      const { child, printed, exited } = start(args(port), { HOST: '127.0.0.1', PORT: String(port), ...env })
      const url = `http://127.0.0.1:${port}`
      await eventually(
        async () => {
          if (child.exitCode !== null) throw new Error(`The server ended: ${printed.join('')}`)
          const { status } = await fetch(`${url}/count`)
          if (status !== 200) throw new Error(`It answers ${status}: ${printed.join('')}`)
        },
        { timeoutMs: 180_000, everyMs: 50 },
      )
      const end = async (signal: NodeJS.Signals): Promise<number> => {
        const since = performance.now()
        if (child.exitCode === null && child.signalCode === null) child.kill(signal)
        await exited
        return performance.now() - since
      }
      return {
        url,
        get output() {
          return printed.join('')
        },
        terminate: () => end('SIGTERM'),
        kill: async () => void (await end('SIGKILL')),
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
