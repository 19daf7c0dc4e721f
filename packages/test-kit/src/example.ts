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

/** Which example, and where it runs. */
export interface ExampleOptions {
  /** Which of the README's `ts` blocks, from 0. */
  index?: number
  /** Added to the environment. */
  env?: Record<string, string>
  /** Where the code is put to run, so that its imports are found. Default: `test` beside the README. */
  folder?: URL
  /** Puts what differs on a test machine, such as a free port, in the place of what the README says. */
  edit?: (code: string) => string
}

/** Starts a `ts` block of a README, as it stands, against the sources. */
export function startExample(
  readme: URL,
  { index = 0, env = {}, folder = new URL('./test/', readme), edit = (code) => code }: ExampleOptions = {},
): Example {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
  const block = blocks[index]?.[1]
  if (block === undefined) throw new Error(`${readme.pathname} has no ts block ${index}.`)
  const code = edit(block)
  const file = fileURLToPath(new URL(`readme-example-${process.pid}-${++count}.ts`, folder))
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
