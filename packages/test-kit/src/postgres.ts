import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'
import { fillFolder } from './fill-folder.ts'
import { freePort } from './free-port.ts'

/** A real PostgreSQL on a free port of 127.0.0.1, with its data in a folder of its own. It is stopped with the test process. */
export interface TestPostgres {
  readonly host: string
  readonly port: number
  /** Creates an empty database. Returns its URL. */
  createDatabase(): Promise<string>
  /** Ends it at once, like a crash: open transactions are lost, committed ones are kept. */
  kill(): Promise<void>
  /** Starts it again on the same port with its data. */
  start(): Promise<void>
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

/** Debian's user of the server, which refuses to run as root. */
const USER = 'postgres'

/** Debian installs the programs of each version in a folder that is not in `PATH`. */
const DEBIAN_FOLDER = '/usr/lib/postgresql'

const run = promisify(execFile)

/** Starts PostgreSQL; on another port if the first was taken between the lookup and its use. */
export const startPostgres = (): Promise<TestPostgres> => startOnce().catch(startOnce)

async function startOnce(): Promise<TestPostgres> {
  const host = '127.0.0.1'
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'tutti-postgres-'))
  const data = join(folder, 'data')
  const user = process.getuid?.() === 0 ? ['--reuid', USER, '--regid', USER, '--init-groups'] : []
  if (user.length > 0) chownSync(folder, idOf('-u'), idOf('-g'))
  // setpriv: a killed test run leaves no orphan behind.
  const command = (name: string, args: readonly string[]): string[] => ['--pdeathsig', 'KILL', ...user, program(name), ...args]
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  let child: ChildProcess | undefined

  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    // The main process ends its others, so that the folder can be used again.
    child.kill('SIGQUIT')
    await exited
  }
  const start = async (): Promise<void> => {
    const settings = ['unix_socket_directories=', 'fsync=off', 'full_page_writes=off', 'max_connections=200', 'logging_collector=off']
    const args = ['-D', data, '-h', host, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
    // Detached: Ctrl-C in a terminal reaches only the test run.
    const started = spawn('setpriv', command('postgres', args), { stdio: 'ignore', detached: true, cwd: folder })
    child = started
    await eventually(() => {
      if (started.exitCode !== null) return
      return run(program('pg_isready'), ['-h', host, '-p', String(port)])
    })
    if (started.exitCode !== null) throw new Error(`postgres ended with ${started.exitCode}`)
  }
  try {
    const options = ['-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale', 'C.UTF-8', '--no-sync']
    const { stdout: version } = await run(program('initdb'), ['--version'])
    const name = [version, process.getuid?.(), ...options].join(' ')
    await fillFolder(data, name, () => run('setpriv', command('initdb', ['-D', data, ...options]), { cwd: folder }))
    await start()
  } catch (error) {
    await kill()
    remove()
    throw error
  }
  let databases = 0
  return {
    host,
    port,
    createDatabase: async () => {
      const name = `test_${(databases += 1)}`
      await run(program('createdb'), ['-h', host, '-p', String(port), '-U', USER, name])
      return `postgres://${USER}@${host}:${port}/${name}`
    },
    kill,
    start,
    stop: async () => {
      await kill()
      remove()
    },
  }
}

const idOf = (option: '-u' | '-g'): number => Number(execFileSync('id', [option, USER], { encoding: 'utf8' }))

/** The path of a program of the newest version that Debian has, otherwise its name. */
function program(name: string): string {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).toSorted((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(DEBIAN_FOLDER, version, 'bin', name)).find((path) => existsSync(path)) ?? name
}
