import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SERVER_FILE } from './demo-folder.ts'
import { untilItAnswers } from './until-it-answers.ts'
import { addressOf } from './where-to-listen.ts'

/** One server process of the demo. */
export interface DemoInstance {
  readonly address: string
  readonly pid: number
  /** The output so far. */
  readonly output: string
  /** Settles when the process has ended, with its exit code. */
  readonly ended: Promise<number | null>
  /** Stops it (SIGTERM). */
  stop(): Promise<number | null>
}

/** Start options. */
export interface InstanceOptions {
  host?: string
  port: number
  /** Added to the environment. */
  env?: Record<string, string>
  /** Its working folder, in which it stores its state without Redis. */
  folder?: string
  /** Receives its stderr. */
  onComplaint?: (text: string) => void
  /** The built server. Default: the one of this application. */
  file?: string
}

/** With these variables Nitro ignores signals, as in tests; they are not for the application. */
const NOT_FOR_IT = ['CI', 'TEST', 'NODE_ENV', 'NODE_OPTIONS', 'REDIS_URL', 'DATABASE_URL']

/** Starts the built demo in a separate process that ends with this one; settles when it replies. */
export async function startInstance(options: InstanceOptions): Promise<DemoInstance> {
  const { host = '127.0.0.1', port, env = {}, folder, file = SERVER_FILE, onComplaint } = options
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_FOR_IT.includes(name) && !name.startsWith('VITEST'))
  const child = spawn(process.execPath, ['--import', new URL('end-with-parent.ts', import.meta.url).href, file], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), HOST: host, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  if (onComplaint) child.stderr?.on('data', onComplaint)
  const ended = once(child, 'exit').then(() => child.exitCode)
  const address = addressOf(host, port)
  await untilItAnswers(address, () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The instance at ${address} did not start:\n${output}`)
  })
  return {
    address,
    pid: child.pid ?? -1,
    get output() {
      return output
    },
    ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
