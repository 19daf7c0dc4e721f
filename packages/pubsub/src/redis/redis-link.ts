import { RealtimeError } from '@tutti/protocol'
import { createListeners, parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { PubSubOptions } from '../contract.ts'
import { PUBSUB_OPTIONS, createReport } from '../report.ts'
import { createAvailability } from './availability.ts'
import { createByteSubscriptions } from './byte-subscriptions.ts'
import type { CommandsOptions } from './commands.ts'
import { connectRedis } from './connect-redis.ts'
import type { RedisClientOptions } from './redis-client.ts'
import { CONNECTION_OPTIONS, checkConnectionOptions, type RedisConnectionOptions } from './options.ts'
import { createEndOfTurn } from './end-of-turn.ts'
import { createInitialConnect } from './initial-connect.ts'
import type { BreakerState, RedisLink, RedisScript, ScriptSource } from './link-contract.ts'
import { createRedisClock } from './redis-clock.ts'
import { createScript, promised, sendScript, singleArguments, singleSource, type Send, type SendCommand } from './script.ts'
import { createScriptQueue } from './script-queue.ts'
import { companionKey } from './companion-key.ts'
import { createSubscriptions } from './subscriptions.ts'

/** Options of a link. */
export interface RedisLinkOptions extends RedisConnectionOptions, PubSubOptions {
  /**
   * The circuit breaker opens after this number of consecutive connection failures.
   *
   * @default 5
   */
  breakerFailures?: number | undefined
  /**
   * While it is open, the circuit breaker lets one call through in each period of this length, milliseconds.
   *
   * @default 30_000
   */
  breakerProbeMs?: number | undefined
}

const OPTIONS = {
  ...CONNECTION_OPTIONS,
  ...PUBSUB_OPTIONS,
  breakerFailures: wholeNumber(1, 5),
  breakerProbeMs: wholeNumber(1, 30_000),
} satisfies OptionRows<RedisLinkOptions>

/**
 * Connects to Redis at once, over exactly two connections; on a Cluster `pub` is one to each master. They are named
 * `<prefix>:<instanceId>:pub` and `:sub`. Throws `INVALID_OPTIONS`.
 */
export function createRedisLink(options: RedisLinkOptions, instanceId: string): RedisLink {
  const settings = parseOptions('RealtimePubSub', OPTIONS, options)
  const { prefix, onError, commandTimeoutMs, keepAliveMs, breakerFailures, breakerProbeMs } = settings
  checkConnectionOptions(settings)
  const name = `${prefix}:${instanceId}`
  const report = createReport(onError)
  const breakerListeners = createListeners<[BreakerState]>((error) => report(error, { stage: 'handler' }))
  const clock = createRedisClock()
  const initialConnect = createInitialConnect(commandTimeoutMs)
  const sources = new Set<string>()
  const endOfTurn = createEndOfTurn()
  let closing: Promise<void> | undefined

  /**
   * Queries both, even if only one has reconnected: the subscribing connection may hang unnoticed, and that is a gap too. The
   * reply of `sub` arrives after those to all its SUBSCRIBEs.
   */
  const verify = async (): Promise<boolean> => {
    await Promise.allSettled([pub.probe(), sub.ask('PING', [])])
    return pub.isUp && sub.isUp
  }
  const availability = createAvailability(report, verify)

  const commandsOptions: CommandsOptions = {
    ...{ sources, keepAliveMs, endOfTurn, breakerFailures, breakerProbeMs },
    onReady: (again) => {
      initialConnect.end()
      availability.cameBack(again)
    },
    onLost: (cause) => {
      initialConnect.end()
      availability.lost(cause)
    },
    onBreaker: (state) => breakerListeners.emit(state),
    onTime: (redisMs) => clock.adjust(redisMs),
    onError: (error) => report(error, { stage: 'connection' }),
  }
  let subReadies = 0
  const subEvents: RedisClientOptions = {
    keepAliveMs,
    onReady: () => {
      // Before the others: once those are confirmed, so are these.
      byteSubscriptions.renew()
      subscriptions.renew()
      subReadies += 1
      availability.cameBack(subReadies > 1)
    },
    onLost: (cause) => availability.lost(cause),
    onMessage: (redisChannel, text) => subscriptions.receive(redisChannel, text),
  }
  const { pub, sub } = connectRedis(settings, name, commandsOptions, subEvents)
  const subscriptions = createSubscriptions<[string]>({ sub, report, nameOf: (channel) => `${prefix}:${channel}` })
  const byteSubscriptions = createByteSubscriptions({ sub, report, prefix })

  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }
  const sendTo =
    (commands: { readonly send: SendCommand }): SendCommand =>
    (command, args, onReply, onError) => {
      if (!initialConnect.isOver) return void initialConnect.over.then(() => sendTo(commands)(command, args, onReply, onError))
      if (closing !== undefined) return onError(new RealtimeError('CLOSED'))
      // A publish reads no data.
      if (command !== 'PUBLISH') availability.commandSent()
      commands.send(command, args, onReply, onError)
    }
  const send = sendTo(pub)
  // On a Cluster a script may use the keys of one slot only.
  const queue = settings.cluster === undefined ? createScriptQueue(send, endOfTurn) : undefined
  const sendInOrder =
    (to: SendCommand): Send =>
    (name, args) => {
      queue?.flush()
      return promised(to)(name, args)
    }
  const ask = sendInOrder(send)
  const loadScript = (source: string): void => {
    if (!sources.has(source)) pub.loadScript(source)
    sources.add(source)
  }

  const scriptOf = (source: ScriptSource): RedisScript['send'] => {
    if (queue !== undefined) return queue.script(source, loadScript).send
    const script = createScript(singleSource(source))
    loadScript(script.source)
    return (keys, args, onReply, onError) => sendScript(script, send, singleArguments(script, source, keys, args), onReply, onError)
  }

  const close = async (): Promise<void> => {
    availability.close()
    subscriptions.clear()
    byteSubscriptions.clear()
    breakerListeners.clear()
    initialConnect.end()
    await Promise.all([pub.close(), sub.close()])
  }

  return {
    prefix,
    get status() {
      return availability.status
    },
    get breaker() {
      return pub.breaker
    },
    ready: availability.ready,
    script: (source) => {
      assertOpen()
      const script = scriptOf(typeof source === 'string' ? { run: source } : source)
      return { send: script, run: (keys, args) => new Promise((resolve, reject) => script(keys, args, resolve, reject)) }
    },
    // Upper case: ioredis transforms the replies of some commands that it knows in lower case.
    command: (command, ...args) => ask(command.toUpperCase(), args),
    isCluster: settings.cluster !== undefined,
    masters: () =>
      pub.masters().map((master) => ({ command: (command, ...args) => sendInOrder(sendTo(master))(command.toUpperCase(), args) })),
    replaceHanging: async (isHanging) => {
      await sub.ask('PING', [])
      if (closing === undefined && isHanging()) pub.drop()
    },
    publish: async (channel, message) => void (await ask('PUBLISH', [`${prefix}:${channel}`, message])),
    subscribe: (channel, handler) => {
      assertOpen()
      return subscriptions.add(channel, handler)
    },
    subscribeBytes: (channel, handler) => {
      assertOpen()
      return byteSubscriptions.add(channel, handler)
    },
    countSubscribers: async (channel) => {
      await initialConnect.over
      const counts = await Promise.all(
        pub.masters().map((master) => promised(sendTo(master))('PUBSUB', ['NUMSUB', `${prefix}:${channel}`])),
      )
      if (counts.length === 0) throw new RealtimeError('UNAVAILABLE', { message: 'No reachable Cluster node.' })
      return counts.reduce<number>((sum, reply) => sum + (Array.isArray(reply) ? Number(reply[1]) : 0), 0)
    },
    companionKey,
    now: () => clock.now(),
    adjustClock: (redisMs) => clock.adjust(redisMs),
    onGap: (listener) => {
      assertOpen()
      return availability.onGap(listener)
    },
    onStatus: (listener) => {
      assertOpen()
      return availability.onStatus(listener)
    },
    onBreaker: (listener) => {
      assertOpen()
      return breakerListeners.add(listener)
    },
    dispose: () => {
      queue?.flush()
      return (closing ??= close())
    },
  }
}
