import { connect } from 'node:net'

/** A reply of Redis as plain data. */
export type RedisReply = string | number | null | RedisReply[]

/**
 * Sends one command over a separate connection and returns its reply; rejects with the error of Redis. Does not use ioredis.
 */
export function sendToRedis({ host, port }: { host: string; port: number }, ...command: (string | number)[]): Promise<RedisReply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`${command.join(' ')}\r\n`))
    let text = ''
    const end = (): void => {
      socket.destroy()
      reject(new Error(`Redis on ${port} did not answer ${command.join(' ')}.`))
    }
    socket.setTimeout(2_000, end).on('error', reject).on('close', end)
    socket.on('data', (data) => {
      text += data.toString()
      const read = readReply(text)
      if (read === undefined) return
      socket.destroy()
      if (read.reply instanceof Error) reject(read.reply)
      else resolve(read.reply)
    })
  })
}

/** The reply at the beginning of the text and what follows it, or nothing while it is incomplete. Text is ASCII. */
function readReply(text: string): { reply: RedisReply | Error; rest: string } | undefined {
  const end = text.indexOf('\r\n')
  if (end < 0) return undefined
  const line = text.slice(1, end)
  const rest = text.slice(end + 2)
  if (text.startsWith('+')) return { reply: line, rest }
  if (text.startsWith('-')) return { reply: new Error(line), rest }
  const number = Number(line)
  if (text.startsWith(':')) return { reply: number, rest }
  if (number < 0) return { reply: null, rest }
  if (text.startsWith('$')) {
    return rest.length < number + 2 ? undefined : { reply: rest.slice(0, number), rest: rest.slice(number + 2) }
  }
  return readList(number, rest)
}

function readList(length: number, text: string): { reply: RedisReply | Error; rest: string } | undefined {
  const items: RedisReply[] = []
  let rest = text
  while (items.length < length) {
    const read = readReply(rest)
    if (read === undefined) return undefined
    if (read.reply instanceof Error) return read
    items.push(read.reply)
    rest = read.rest
  }
  return { reply: items, rest }
}
