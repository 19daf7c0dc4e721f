import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that runs a script of the package under test and answers calls over IPC. */
export interface Instance {
  readonly pid: number
  /** The data that the script sent when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Resolves when the process has ended without `stop()` or `kill()`, with its exit code or signal; never after them. */
  readonly crashed: Promise<number | NodeJS.Signals>
  /** Calls a method of the script; rejects with the message of its error. */
  call(name: string, ...args: unknown[]): Promise<unknown>
  /** Stops it gracefully (SIGTERM) and returns its exit code. */
  stop(): Promise<number | null>
  /** Ends it at once, like a crash (SIGKILL). */
  kill(): Promise<void>
  /** Freezes it (SIGSTOP), like a stalled event loop. */
  pause(): void
  /** Continues it (SIGCONT). */
  resume(): void
}

/** The arguments of Node for each instance. */
export const INSTANCE_ARGUMENTS: readonly string[] = [
  ...['--conditions=@tutti/source', '--disable-warning=ExperimentalWarning'],
  `--import=${new URL('./end-with-parent.ts', import.meta.url).href}`,
]

interface Answer {
  id: number
  result?: unknown
  error?: string
}

/**
 * Starts a script in its own process, from the sources. The script uses `serveInstance` of `@tutti/test-kit/instance`. The process ends
 * with the test process. `env` is added to the environment.
 */
export async function spawnInstance(script: URL, { env = {} }: { env?: Record<string, string> } = {}): Promise<Instance> {
  const child = fork(fileURLToPath(script), {
    execArgv: [...INSTANCE_ARGUMENTS],
    env: { ...process.env, ...env },
    serialization: 'json',
  })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const exited = once(child, 'exit')
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    child.on('message', (message: { ready: Record<string, unknown> } | Answer) => {
      if ('ready' in message) return resolve(message.ready)
      const call = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.error === undefined) call?.resolve(message.result)
      else call?.reject(new Error(message.error))
    })
    void exited.then(([code, signal]: unknown[]) => {
      const gone = new Error(`The instance ended (${String(code ?? signal)}).`)
      reject(gone)
      for (const call of waiting.values()) call.reject(gone)
      waiting.clear()
    })
  })
  let lastId = 0
  let isEnding = false
  const crashed = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => !isEnding && resolve(code ?? signal ?? 0))
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    isEnding = true
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
  }
  return {
    ready: await ready,
    crashed,
    pid: child.pid ?? -1,
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        child.send({ id, name, args }, (error) => {
          if (error === null || !waiting.delete(id)) return
          reject(error)
        })
      }),
    stop: async () => {
      await end('SIGTERM')
      return child.exitCode
    },
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}
