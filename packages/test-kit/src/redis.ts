import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { sendToRedis } from './redis-reply.ts'

/** A real Redis on a free port, stopped with the test process. */
export interface TestRedis {
  readonly host: string
  readonly port: number
  readonly url: string
  /** The path of its Unix socket. A Sentinel has none. */
  readonly socketPath: string
  /** The running process; a new one after `restart`. */
  readonly process: ChildProcess
  /** Ends it at once, like a crash (SIGKILL). */
  kill(): Promise<void>
  /** Starts it again on the same port with its persisted data. */
  restart(): Promise<void>
  /** Freezes it (SIGSTOP): connections stay open, without replies. */
  pause(): void
  /** Continues it (SIGCONT). */
  resume(): void
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

/** Start options. */
export interface TestRedisOptions {
  /** Added to the command line, e.g. `['--appendonly', 'yes']`. */
  args?: readonly string[]
  /** Its users: the lines of an ACL file. */
  users?: string
  /** The text of a Sentinel's configuration: starts a Sentinel. */
  sentinel?: string
  /** The text of a configuration file, which `CONFIG REWRITE` may change; `args` override it at each start. */
  config?: string
}

/** Starts redis-server; on another port if the first was taken between the lookup and its use. */
export const startRedis = (options: TestRedisOptions = {}): Promise<TestRedis> => startOnce(options).catch(() => startOnce(options))

async function startOnce({ args = [], users, sentinel, config }: TestRedisOptions): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-redis-'))
  const host = '127.0.0.1'
  const port = await freePort()
  const userFile = join(folder, 'users.acl')
  if (users !== undefined) await writeFile(userFile, users)
  const userArgs = users === undefined ? [] : ['--aclfile', userFile]
  const socketPath = join(folder, 'redis.sock')
  const file = join(folder, 'redis.conf')
  const text = sentinel ?? config
  if (text !== undefined) await writeFile(file, text)

  const start = async (): Promise<ChildProcess> => {
    const kind = [
      ...(text === undefined ? [] : [file]),
      ...(sentinel === undefined ? ['--save', '', '--unixsocket', socketPath] : ['--sentinel']),
    ]
    const options = [...kind, '--bind', host, '--port', String(port), '--dir', folder, '--loglevel', 'warning', ...userArgs, ...args]
    // setpriv: a killed test run leaves no orphan behind. Detached: Ctrl-C in a terminal reaches only the test run.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'redis-server', ...options], { stdio: 'ignore', detached: true })
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`)
      return answers(host, port)
    })
    return child
  }

  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  let current = await start()
  let restarting: Promise<void> | undefined
  // One at a time: a second process would fail to use the port, and the first would no longer be referenced.
  const restart = async (): Promise<void> => {
    try {
      await end(current)
      current = await start()
    } finally {
      restarting = undefined
    }
  }
  return {
    host,
    port,
    url: `redis://${host}:${port}`,
    socketPath,
    get process() {
      return current
    },
    kill: () => end(current),
    restart: () => (restarting ??= restart()),
    pause: () => void current.kill('SIGSTOP'),
    resume: () => void current.kill('SIGCONT'),
    stop: async () => {
      await restarting
      await end(current)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Settles when Redis replies PONG, or requires a password, and so has loaded its data. */
async function answers(host: string, port: number): Promise<void> {
  try {
    await sendToRedis({ host, port }, 'PING')
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOAUTH'))) throw error
  }
}
