import { RealtimeError } from '@tutti/protocol'
import type { Redis } from 'ioredis'
import { classifyRedisError, isConnectionFailure, isTimeout, notConnected, withoutArguments } from './errors.ts'
import { corkWrites } from './cork-writes.ts'
import type { EndOfTurn } from './end-of-turn.ts'
import { createKeepAlive } from './keep-alive.ts'
import type { ScriptReply } from './link-contract.ts'
import { readMessages, type MessageReceiver } from './message-reader.ts'
import { CONNECT_TIMEOUT_MS } from './redis-options.ts'
import { createReplyTimeout } from './reply-timeout.ts'
import { promised, type Send, type SendCommand } from './script.ts'
import { createScriptSender } from './script-command.ts'

/** One of the two connections: sends commands, and reports when it is ready or lost. */
export interface RedisClient {
  /** Ready, according to its last event. */
  readonly isUp: boolean
  /** Starts to connect a client created with `lazyConnect`. */
  open(): void
  /** Replaces the connection, if there is one. */
  drop(): void
  /** Sends one command at once or never (N5). Fails like `RedisScript.run`, except with `CLOSED`. */
  readonly send: SendCommand
  /** Like `send`, with a promise. */
  readonly ask: Send
  /** From now on, passes each message on as bytes too. Called at most once. */
  onBytes(listener: BytesListener): void
  /** Waits for outstanding replies, then closes the client, or only removes its listeners if the caller owns it (N7). */
  close(): Promise<void>
}

/** Receives messages as bytes. */
export interface BytesListener {
  message(redisChannel: string, message: Buffer): void
  /** The message matches a pattern. */
  matched(pattern: string, redisChannel: string, message: Buffer): void
}

/** Settings and events of a connection. */
export interface RedisClientOptions {
  /** A PING is sent after this many milliseconds without a command. */
  keepAliveMs: number
  onReady: () => void
  /** The connection was lost, or an attempt failed: once for each attempt. */
  onLost: (cause: unknown) => void
  onMessage?: MessageReceiver
  /** If set, commands of one turn are written together at its end. */
  endOfTurn?: EndOfTurn | undefined
}

/** Supervises one client. */
export function createRedisClient(client: Redis, owned: boolean, events: RedisClientOptions): RedisClient {
  const { endOfTurn } = events
  const beforeWrite = endOfTurn === undefined ? () => {} : corkWrites(client, endOfTurn)
  let isUp = false
  let cause: unknown
  let firstError: unknown
  let inFlight = 0
  let onIdle = (): void => {}
  let mayAskTimeout = true
  // The loss of the connection is reported anyway.
  const keepAlive = createKeepAlive({ idleMs: events.keepAliveMs, ping: () => void ask('PING', []).catch(() => {}) })

  // A client of the caller keeps the timer of ioredis for each command.
  const timeoutMs = owned ? client.options.commandTimeout : undefined
  const replyTimeout = timeoutMs === undefined ? undefined : createReplyTimeout({ timeoutMs, onTimeout: () => drop() })

  // A client of the caller has its own settings.
  const scripts = owned ? createScriptSender(client) : undefined

  const ready = (): void => {
    isUp = true
    // Commands that ioredis itself sends to connect keep that timer.
    if (owned) delete client.options.commandTimeout
    firstError = undefined
    keepAlive.start()
    void askTimeout()
    events.onReady()
  }
  /** Sent before any SUBSCRIBE, after which Redis does not accept this command. */
  const askTimeout = async (): Promise<void> => {
    if (!mayAskTimeout) return
    try {
      const reply = await ask('CONFIG', ['GET', 'timeout'])
      const seconds = Array.isArray(reply) ? Number(reply[1]) : 0
      keepAlive.serverClosesAfter(seconds * 1000)
    } catch (error) {
      // Redis refuses it to this user, and would log each further refusal.
      mayAskTimeout = isConnectionFailure(error)
    }
  }
  const lost = (): void => {
    isUp = false
    if (timeoutMs !== undefined) client.options.commandTimeout = timeoutMs
    keepAlive.stop()
    replyTimeout?.stop()
    cause = firstError
    firstError = undefined
    events.onLost(cause)
  }
  /** Not `disconnect(true)`, which would first send the commands in the buffer. */
  const drop = (): void => {
    isUp = false
    if (client.status === 'ready' || client.status === 'connect') client.stream.destroy()
  }
  const connectFailed = (error: unknown): void => {
    // Later errors are consequences of the first, such as the failed ready check of a client without its password.
    firstError ??= withoutArguments(error)
    // While no Sentinel can be reached there is no stream, hence no `close`.
    if (client.status === 'connecting' && client.options.sentinels) events.onLost(firstError)
    // Otherwise ioredis would continue, for example in database 0 if the configured one does not exist.
    drop()
  }
  const message = (redisChannel: string, text: string): void => void events.onMessage?.(redisChannel, text)
  const endReading = owned && events.onMessage !== undefined ? readMessages(client, events.onMessage) : undefined

  let bytes: BytesListener | undefined
  const messageBytes = (redisChannel: Buffer, content: Buffer): void => bytes?.message(redisChannel.toString(), content)
  const matchedBytes = (pattern: string, redisChannel: Buffer, content: Buffer): void =>
    bytes?.matched(pattern, redisChannel.toString(), content)

  client.on('ready', ready).on('close', lost).on('error', connectFailed).on('message', message)
  // A client of the caller may have become ready before.
  if (client.status === 'ready') queueMicrotask(() => client.status === 'ready' && !isUp && ready())

  const send: SendCommand = (name, args, onReply, onError) => {
    if (!isUp) return onError(notConnected(cause))
    inFlight += 1
    endOfTurn?.sent()
    keepAlive.sent()
    const sentAt = replyTimeout?.sent()
    beforeWrite()
    const replied = (reply: unknown): void => {
      settled(sentAt)
      if (isReply(reply)) onReply(reply)
      else
        onError(
          new RealtimeError('INTERNAL', { message: 'Unexpected reply type from Redis: expected text, number, null or a list of these.' }),
        )
    }
    const failed = (error: unknown): void => {
      settled(sentAt)
      if (isTimeout(error)) drop()
      onError(classifyRedisError(withoutArguments(error)))
    }
    const sendScript = name === 'EVALSHA' ? scripts?.send : undefined
    if (sendScript === undefined) client.call(name, [...args]).then(replied, failed)
    else sendScript(args, replied, failed)
  }
  const settled = (sentAt: number | undefined): void => {
    if (sentAt !== undefined) replyTimeout?.answered(sentAt)
    inFlight -= 1
    endOfTurn?.settled()
    if (inFlight === 0) onIdle()
  }
  const ask = promised(send)

  return {
    get isUp() {
      return isUp
    },
    open: () => {
      if (client.status === 'wait') client.connect().catch(() => {})
    },
    drop,
    send,
    ask,
    onBytes: (listener) => {
      bytes = listener
      client.on('messageBuffer', messageBytes).on('pmessageBuffer', matchedBytes)
    },
    close: async () => {
      keepAlive.stop()
      if (inFlight > 0) await new Promise<void>((resolve) => void (onIdle = resolve))
      replyTimeout?.stop()
      if (owned) await closeClient(client)
      client.off('ready', ready).off('close', lost).off('error', connectFailed).off('message', message)
      endReading?.()
      client.off('messageBuffer', messageBytes).off('pmessageBuffer', matchedBytes)
      isUp = false
    },
  }
}

/** Closes the client and waits until all its timers are stopped. */
async function closeClient(client: Redis): Promise<void> {
  if (client.status === 'end') return
  await new Promise<void>((resolve) => {
    // Between two attempts there is no stream, hence no event, but ioredis keeps a timer for `disconnectTimeout`. While it
    // queries Sentinels, it ends after their reply or its timeout.
    const asksSentinels = client.status === 'connecting' && client.options.sentinels !== null
    const timer = setTimeout(resolve, (asksSentinels ? CONNECT_TIMEOUT_MS : (client.options.disconnectTimeout ?? 0)) + 20)
    client.once('end', () => {
      clearTimeout(timer)
      resolve()
    })
    client.disconnect()
    // No reply is awaited any more. At the very first attempt there is no stream yet.
    const stream: { destroy(): void } | undefined = client.stream
    stream?.destroy()
  })
}

/** Whether the reply is plain data. The settings of the clients exclude bytes. */
const isReply = (reply: unknown): reply is ScriptReply =>
  typeof reply === 'string' || typeof reply === 'number' || reply === null || (Array.isArray(reply) && reply.every(isReply))
