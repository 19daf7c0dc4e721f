import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestRedis } from './redis.ts'

/** A command that Redis has executed. */
export interface MonitoredCommand {
  /** In lower case. */
  readonly name: string
  readonly args: readonly string[]
  /** A script has called it, no client. */
  readonly isOfScript: boolean
}

/** Records the commands of all clients of a Redis. */
export interface RedisMonitor {
  /** All commands since the last call, or since the start. */
  commands(): Promise<MonitoredCommand[]>
  close(): void
}

const LINE = /^\+[\d.]+ \[\d+ ([^\]]+)\] (.*)$/

/**
 * Starts to record. Over a plain socket, because ioredis 5 fails if a command arrives in one chunk with the reply to MONITOR
 * ("Command queue state error").
 */
export async function monitorRedis({ host, port }: Pick<TestRedis, 'host' | 'port'>): Promise<RedisMonitor> {
  const [watching, marking] = [connect(port, host), connect(port, host)]
  const lines = createInterface({ input: watching })
  await Promise.all([once(watching, 'connect'), once(marking, 'connect')])
  const begun = once(lines, 'line')
  watching.write('MONITOR\r\n')
  await begun
  let commands: MonitoredCommand[] = []
  const marks = new Map<string, (before: MonitoredCommand[]) => void>()
  lines.on('line', (line) => {
    const [, source = '', text = ''] = LINE.exec(line) ?? []
    const [name = '', ...args] = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, argument = '']) => unescaped(argument))
    const mark = marks.get(args[0] ?? '')
    if (mark === undefined) {
      commands.push({ name: name.toLowerCase(), args, isOfScript: source.endsWith('lua') })
      return
    }
    mark(commands)
    commands = []
  })
  return {
    commands: async () => {
      const mark = randomUUID()
      const before = new Promise<MonitoredCommand[]>((resolve) => marks.set(mark, resolve))
      marking.write(`ECHO ${mark}\r\n`)
      await before
      marks.delete(mark)
      return before
    },
    close: () => {
      watching.destroy()
      marking.destroy()
    },
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' }

/** MONITOR writes bytes that are not printable ASCII as `\xNN`. */
function unescaped(text: string): string {
  const bytes = text.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCodePoint(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString()
}
