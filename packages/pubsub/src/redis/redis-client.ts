import { RealtimeError } from '@tutti/protocol'
import type { Redis } from 'ioredis'
import { classifyRedisError, isConnectionFailure, isTimeout, withoutArguments } from './errors.ts'
import { createKeepAlive } from './keep-alive.ts'
import type { ScriptReply } from './link-contract.ts'
import { CONNECT_TIMEOUT_MS } from './redis-options.ts'

/** One of the two connections: sends commands, and reports when it is ready or lost. */
export interface RedisClient {
  /** Ready, as far as its last event tells. */
  readonly isUp: boolean
  /** Begins to connect a client that waits to be told. */
  open(): void
  /** Makes the connection anew, if there is one. */
  drop(): void
  /** Sends one command now or never (N5). Rejects as `RedisScript.run` does, but for `CLOSED`. */
  send(name: string, args: readonly (string | number)[]): Promise<ScriptReply>
  /** Waits for what is unanswered, then closes the client, or only lets go of it when it is the caller's (N7). */
  close(): Promise<void>
}

/** Settings and events of a connection. */
export interface RedisClientOptions {
  /** A PING is sent after so many milliseconds without a command. */
  keepAliveMs: number
  onReady: () => void
  /** It was lost, or an attempt to connect failed: once for each attempt. */
  onLost: (cause: unknown) => void
  onMessage?: (redisChannel: string, text: string) => void
}

/** Watches over one client. */
export function createRedisClient(client: Redis, owned: boolean, events: RedisClientOptions): RedisClient {
  let isUp = false
  let cause: unknown
  let firstError: unknown
  let unanswered = 0
  let onIdle = (): void => {}
  let mayAskTimeout = true
  // Its failure says nothing that the loss of the connection does not say.
  const keepAlive = createKeepAlive({ idleMs: events.keepAliveMs, ping: () => void send('PING', []).catch(() => {}) })

  const ready = (): void => {
    isUp = true
    firstError = undefined
    keepAlive.start()
    void askTimeout()
    events.onReady()
  }
  /** Sent before any SUBSCRIBE, after which Redis takes no such command. */
  const askTimeout = async (): Promise<void> => {
    if (!mayAskTimeout) return
    try {
      const reply = await send('CONFIG', ['GET', 'timeout'])
      const seconds = Array.isArray(reply) ? Number(reply[1]) : 0
      keepAlive.serverClosesAfter(seconds * 1000)
    } catch (error) {
      // Redis refuses it to this user, and would log each further refusal.
      mayAskTimeout = isConnectionFailure(error)
    }
  }
  const lost = (): void => {
    isUp = false
    keepAlive.stop()
    cause = firstError
    firstError = undefined
    events.onLost(cause)
  }
  /** Not `disconnect(true)`, which would first send what still waits in the buffer. */
  const drop = (): void => {
    isUp = false
    if (client.status === 'ready' || client.status === 'connect') client.stream.destroy()
  }
  const failed = (error: unknown): void => {
    // What follows from it, as the failed ready check of a client without its password, says less.
    firstError ??= withoutArguments(error)
    // While no Sentinel can be reached there is no stream, hence no `close`.
    if (client.status === 'connecting' && client.options.sentinels) events.onLost(firstError)
    // Also where ioredis would go on, e.g. in database 0 when the one that was asked for does not exist.
    drop()
  }
  const message = (redisChannel: string, text: string): void => events.onMessage?.(redisChannel, text)

  client.on('ready', ready).on('close', lost).on('error', failed).on('message', message)
  // A client of the caller's may have become ready before.
  if (client.status === 'ready') queueMicrotask(() => client.status === 'ready' && !isUp && ready())

  const send = async (name: string, args: readonly (string | number)[]): Promise<ScriptReply> => {
    if (!isUp) throw new RealtimeError('UNAVAILABLE', { cause })
    unanswered += 1
    keepAlive.sent()
    try {
      return parseReply(await client.call(name, [...args]))
    } catch (error) {
      if (isTimeout(error)) drop()
      throw classifyRedisError(withoutArguments(error))
    } finally {
      unanswered -= 1
      if (unanswered === 0) onIdle()
    }
  }

  return {
    get isUp() {
      return isUp
    },
    open: () => {
      if (client.status === 'wait') client.connect().catch(() => {})
    },
    drop,
    send,
    close: async () => {
      keepAlive.stop()
      if (unanswered > 0) await new Promise<void>((resolve) => void (onIdle = resolve))
      if (owned) await closeClient(client)
      client.off('ready', ready).off('close', lost).off('error', failed).off('message', message)
      isUp = false
    },
  }
}

/** Ends the client and waits until none of its timers is left. */
async function closeClient(client: Redis): Promise<void> {
  if (client.status === 'end') return
  await new Promise<void>((resolve) => {
    // Between two attempts there is no stream, hence no event; ioredis then keeps a timer for `disconnectTimeout`. While
    // it asks Sentinels it ends when it has an answer, or gives up.
    const asksSentinels = client.status === 'connecting' && client.options.sentinels !== null
    const timer = setTimeout(resolve, (asksSentinels ? CONNECT_TIMEOUT_MS : (client.options.disconnectTimeout ?? 0)) + 20)
    client.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    client.disconnect()
    // Nothing waits for an answer any more. At the very first attempt there is no stream yet.
    const stream: { destroy(): void } | undefined = client.stream
    stream?.destroy()
  })
}

/** A reply of Redis as plain data; throws `INTERNAL` for what the clients' settings should never give (bytes). */
function parseReply(reply: unknown): ScriptReply {
  if (isReply(reply)) return reply
  throw new RealtimeError('INTERNAL', { message: 'Redis gave a reply that is neither text, number, null nor a list of these.' })
}

const isReply = (reply: unknown): reply is ScriptReply =>
  typeof reply === 'string' || typeof reply === 'number' || reply === null || (Array.isArray(reply) && reply.every(isReply))
