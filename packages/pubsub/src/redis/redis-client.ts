import { RealtimeError } from '@tutti/protocol'
import type { Redis } from 'ioredis'
import { classifyRedisError, isConnectionFailure, isTimeout, withoutArguments } from './errors.ts'
import { corkWrites } from './cork-writes.ts'
import type { EndOfTurn } from './end-of-turn.ts'
import { createKeepAlive } from './keep-alive.ts'
import type { ScriptReply } from './link-contract.ts'
import { CONNECT_TIMEOUT_MS } from './redis-options.ts'
import { createReplyTimeout } from './reply-timeout.ts'
import { promised, type Send, type SendCommand } from './script.ts'

/** One of the two connections: sends commands, and reports when it is ready or lost. */
export interface RedisClient {
  /** Ready, as far as its last event tells. */
  readonly isUp: boolean
  /** Begins to connect a client that was made with `lazyConnect`. */
  open(): void
  /** Makes the connection anew, if there is one. */
  drop(): void
  /** Sends one command now or never (N5). Fails as `RedisScript.run` does, except with `CLOSED`. */
  readonly send: SendCommand
  /** As `send`, with a promise. */
  readonly ask: Send
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
  /** Where given, commands of one turn are written together at its end. */
  endOfTurn?: EndOfTurn | undefined
}

/** Watches over one client. */
export function createRedisClient(client: Redis, owned: boolean, events: RedisClientOptions): RedisClient {
  const { endOfTurn } = events
  const beforeWrite = endOfTurn === undefined ? () => {} : corkWrites(client, endOfTurn)
  let isUp = false
  let cause: unknown
  let firstError: unknown
  let inFlight = 0
  let onIdle = (): void => {}
  let mayAskTimeout = true
  // Its failure says nothing that the loss of the connection does not say.
  const keepAlive = createKeepAlive({ idleMs: events.keepAliveMs, ping: () => void ask('PING', []).catch(() => {}) })

  // A client of the caller's keeps the timer of ioredis for each command.
  const timeoutMs = owned ? client.options.commandTimeout : undefined
  const replyTimeout = timeoutMs === undefined ? undefined : createReplyTimeout({ timeoutMs, onTimeout: () => drop() })

  const ready = (): void => {
    isUp = true
    // What ioredis itself sends to connect keeps that timer.
    if (owned) delete client.options.commandTimeout
    firstError = undefined
    keepAlive.start()
    void askTimeout()
    events.onReady()
  }
  /** Sent before any SUBSCRIBE, after which Redis takes no such command. */
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

  const send: SendCommand = (name, args, onReply, onError) => {
    if (!isUp) return onError(new RealtimeError('UNAVAILABLE', { cause }))
    inFlight += 1
    endOfTurn?.sent()
    keepAlive.sent()
    const answered = replyTimeout?.sent()
    beforeWrite()
    client.call(name, [...args]).then(
      (reply) => {
        answered?.()
        settled()
        if (isReply(reply)) onReply(reply)
        else
          onError(new RealtimeError('INTERNAL', { message: 'Redis sent a reply that is neither text, number, null nor a list of these.' }))
      },
      (error: unknown) => {
        answered?.()
        settled()
        if (isTimeout(error)) drop()
        onError(classifyRedisError(withoutArguments(error)))
      },
    )
  }
  const settled = (): void => {
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
    close: async () => {
      keepAlive.stop()
      if (inFlight > 0) await new Promise<void>((resolve) => void (onIdle = resolve))
      replyTimeout?.stop()
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

/** Whether it is plain data; the settings of the clients allow nothing else (bytes). */
const isReply = (reply: unknown): reply is ScriptReply =>
  typeof reply === 'string' || typeof reply === 'number' || reply === null || (Array.isArray(reply) && reply.every(isReply))
