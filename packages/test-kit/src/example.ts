import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** An example of a README, running in its own process. */
export interface Example {
  /** The documented output: the comments behind the `console.log(…)` lines. */
  readonly promised: readonly string[]
  /** The output so far. */
  readonly printed: readonly string[]
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
  /** Its stderr, for the message of a failing test. */
  readonly complaints: string
  /** Stops it (SIGTERM). */
  stop(): Promise<number | null>
}

let count = 0

/** The example and its environment. */
export interface ExampleOptions {
  /** Which `ts` block of the README: its index, from 0, or a text that no block before it contains. @default 0 */
  block?: number | string
  /** Added to the environment. */
  env?: Record<string, string>
  /** The folder for the code, in which its imports resolve. Default: `test` beside the README. */
  folder?: URL
  /** Replaces parts that differ on a test machine, such as a port. */
  edit?: (code: string) => string
}

/** Starts a `ts` block of a README, unchanged, against the sources. */
export function startExample(
  readme: URL,
  { block = 0, env = {}, folder = new URL('./test/', readme), edit = (code) => code }: ExampleOptions = {},
): Example {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = '']) => text)
  const found = typeof block === 'number' ? blocks[block] : blocks.find((text) => text.includes(block))
  if (found === undefined) throw new Error(`${readme.pathname} has no ts block ${block}.`)
  const code = edit(found)
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
