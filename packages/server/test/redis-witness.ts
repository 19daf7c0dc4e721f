import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'

/** Observes the complete contents of a Redis, and all its commands. */
export interface RedisWitness {
  readonly client: Redis
  /** The contents: a digest of each key's value, and whether it expires. */
  contents(): Promise<Map<string, string>>
  /** The names accessed since the last call, by commands and by scripts: keys, and Redis channels. */
  touched(): Promise<Set<string>>
  close(): void
}

const CONTENTS = `
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  all[#all + 1] = key
  all[#all + 1] = redis.sha1hex(redis.call('DUMP', key)) .. (redis.call('PTTL', key) >= 0 and ' ends' or '')
end
return all`

/** Commands that name nothing. */
const NAMELESS = new Set(['ping', 'info', 'time', 'hello', 'client', 'select', 'script', 'monitor', 'quit'])

/** Watches a Redis. Over a plain socket, for ioredis breaks where commands arrive in one piece with the answer to MONITOR. */
export async function witness(redis: TestRedis): Promise<RedisWitness> {
  const client = new Redis(redis.url)
  const socket = connect(redis.port, redis.host)
  await once(socket, 'connect')
  const lines = createInterface({ input: socket })
  const begun = once(lines, 'line')
  socket.write('MONITOR\r\n')
  await begun
  let names = new Set<string>()
  const marks = new Map<string, () => void>()
  lines.on('line', (line) => {
    const [command = '', ...args] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => unescaped(text))
    if (command === 'ECHO' || command === 'echo') marks.get(args[0] ?? '')?.()
    else for (const name of namesOf(command.toLowerCase(), args)) names.add(name)
  })
  const ask = async (): Promise<void> => {
    const mark = randomUUID()
    const seen = new Promise<void>((resolve) => marks.set(mark, resolve))
    await client.echo(mark)
    await seen
    marks.delete(mark)
  }
  await ask()
  return {
    client,
    contents: async () => {
      const all = await client.eval(CONTENTS, 0)
      if (!Array.isArray(all)) throw new TypeError('no list')
      await ask()
      return new Map(all.flatMap((key: unknown, index) => (index % 2 === 0 ? [[String(key), String(all[index + 1])] as const] : [])))
    },
    touched: async () => {
      await ask()
      const seen = names
      names = new Set()
      return seen
    },
    close: () => {
      socket.destroy()
      client.disconnect()
    },
  }
}

function namesOf(command: string, args: readonly string[]): readonly string[] {
  if (NAMELESS.has(command)) return []
  if (command === 'evalsha' || command === 'eval') return args.slice(2, 2 + Number(args[1]))
  return args.slice(0, 1)
}

/** MONITOR writes what is no printable ASCII as `\xNN`, byte by byte. */
function unescaped(text: string): string {
  const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' }
  const bytes = text.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCodePoint(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString()
}
