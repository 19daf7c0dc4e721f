import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestRedis } from '@tutti/test-kit'

const COMMAND = /^\+[\d.]+ \[\d+ (\S+)\] "([^"]*)"/

/**
 * The names of the commands that clients send to a Redis while the work is done, without those called by scripts. Over a plain
 * socket: ioredis fails if commands arrive in one chunk with the reply to MONITOR.
 */
export async function monitor(redis: TestRedis, work: () => Promise<void>): Promise<string[]> {
  const watching = connect(redis.port, redis.host)
  const marking = connect(redis.port, redis.host)
  await Promise.all([once(watching, 'connect'), once(marking, 'connect')])
  const end = randomUUID()
  const names: string[] = []
  const lines = createInterface({ input: watching })
  const seen = (text: string) =>
    new Promise<void>((resolve) => {
      lines.on('line', (line) => line.includes(text) && resolve())
    })
  const begun = seen('+OK')
  const ended = seen(end)
  lines.on('line', (line) => {
    const [, source, name] = COMMAND.exec(line) ?? []
    if (name !== undefined && source !== 'lua' && !line.includes(end)) names.push(name.toLowerCase())
  })
  watching.write('MONITOR\r\n')
  await begun
  await work()
  marking.write(`ECHO ${end}\r\n`)
  await ended
  watching.destroy()
  marking.destroy()
  return names
}
