import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** An example of a README, running as a process of its own. */
export interface Example {
  /** What the example says it prints: the comments behind its `console.log(…)` lines. */
  readonly promised: readonly string[]
  /** What it has printed so far. */
  readonly printed: readonly string[]
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
  /** What it wrote to stderr, for the message of a failing test. */
  readonly complaints: string
  /** Ends it (SIGTERM). */
  stop(): Promise<number | null>
}

let count = 0

/**
 * Starts the `ts` block number `index` of a README, as it stands, against the sources. It runs from the folder of the
 * test, so that it imports the package by its own name; `env` is added to the environment.
 */
export function startExample(readme: URL, { index = 0, env = {} }: { index?: number; env?: Record<string, string> } = {}): Example {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
  const code = blocks[index]?.[1]
  if (code === undefined) throw new Error(`${readme.pathname} has no ts block ${index}.`)
  const file = fileURLToPath(new URL(`./test/readme-example-${process.pid}-${++count}.ts`, readme))
  writeFileSync(file, code)
  const child = spawn(process.execPath, ['--conditions=@tutti/source', '--disable-warning=ExperimentalWarning', file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const ended = once(child, 'close').then(() => {
    rmSync(file, { force: true })
    return child.exitCode
  })
  return {
    promised: [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, line = '']) => line),
    get printed() {
      return output.split('\n').filter((line) => line !== '')
    },
    get complaints() {
      return complaints
    },
    ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
