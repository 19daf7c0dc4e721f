import { RealtimeError } from '@tutti/protocol'
import type { PubSubOptions } from '../contract.ts'
import { createListeners } from '../listeners.ts'
import { createReport } from '../report.ts'
import { createAvailability } from './availability.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { isConnectionFailure } from './classify-redis-error.ts'
import { connectClients, type RedisConnectionOptions } from './connect-clients.ts'
import { createConnection } from './connection.ts'
import { createFirstContact } from './first-contact.ts'
import { guardedSend } from './guarded-send.ts'
import type { BreakerState, RedisLink } from './link-contract.ts'
import { createRedisClock, parseTime } from './redis-clock.ts'
import { COMMAND_TIMEOUT_MS } from './redis-options.ts'
import { createScript, type Send } from './script.ts'
import { sideKey } from './side-key.ts'
import { createSubscriptions } from './subscriptions.ts'

/** Options of a link. */
export interface RedisLinkOptions extends RedisConnectionOptions, PubSubOptions {
  /** The circuit breaker opens after so many failures of the connection in a row. Default: 5 (N10). */
  breakerFailures?: number
  /** While open, it lets one call try every so many milliseconds. Default: 30,000 (N10). */
  breakerProbeMs?: number
}

/** Connects to Redis over exactly two connections, at once (N1). They are named `<prefix>:<instanceId>:pub` and `:sub`. Throws `INVALID_OPTIONS`. */
export function createRedisLink(options: RedisLinkOptions, instanceId: string): RedisLink {
  const { prefix = 'tutti', onError, breakerFailures = 5, breakerProbeMs = 30_000 } = options
  checkBreakerOptions(breakerFailures, breakerProbeMs)
  const clients = connectClients(options, `${prefix}:${instanceId}`)
  const report = createReport(onError)
  const breakerListeners = createListeners<[BreakerState]>((error) => report(error, { stage: 'handler' }))
  const onState = (state: BreakerState): void => breakerListeners.emit(state)
  const breaker = createCircuitBreaker({ failures: breakerFailures, probeEveryMs: breakerProbeMs, onState })
  const clock = createRedisClock()
  const firstContact = createFirstContact(options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS)
  const sources = new Set<string>()
  let closing: Promise<void> | undefined

  /**
   * Asks both, also when only one has come back: what listens only may hang unseen, and then there is a gap as well. The
   * answer of `sub` comes after those to all its SUBSCRIBEs.
   */
  const verify = async (): Promise<boolean> => {
    await Promise.allSettled([probe(), sub.send('PING', [])])
    return pub.isUp && sub.isUp
  }
  const availability = createAvailability(report, verify)

  let pubReadies = 0
  const pub = createConnection(clients.pub, clients.owned, {
    onReady: () => {
      for (const source of sources) teach(source)
      firstContact.end()
      breaker.probeNow()
      pubReadies += 1
      availability.cameBack(pubReadies > 1)
    },
    onLost: (cause) => {
      firstContact.end()
      availability.lost(cause)
    },
  })
  let subReadies = 0
  const sub = createConnection(clients.sub, clients.owned, {
    onReady: () => {
      subscriptions.renew()
      subReadies += 1
      availability.cameBack(subReadies > 1)
    },
    onLost: (cause) => availability.lost(cause),
    onMessage: (redisChannel, text) => subscriptions.receive(redisChannel, text),
  })
  const subscriptions = createSubscriptions({ sub, prefix, report })

  /** Asks Redis for its time; the answer is the breaker's probe as well. */
  const probe = async (): Promise<void> => {
    if (!pub.isUp) return
    try {
      const time = parseTime(await pub.send('TIME', []))
      if (time !== undefined) clock.adjust(time)
      breaker.succeeded()
    } catch (error) {
      if (isConnectionFailure(error)) breaker.failed()
      else report(error, { stage: 'connection' })
    }
  }

  /** Where Redis may not be taught, a run finds out by NOSCRIPT and sends the script whole. */
  const teach = (source: string): void => void pub.send('SCRIPT', ['LOAD', source]).catch(() => {})

  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }
  const sendPastBreaker = guardedSend(breaker, (name, args) => pub.send(name, args))
  const send: Send = async (name, args) => {
    if (!firstContact.isOver) await firstContact.over
    assertOpen()
    return sendPastBreaker(name, args)
  }

  const close = async (): Promise<void> => {
    availability.close()
    subscriptions.clear()
    breaker.close()
    breakerListeners.clear()
    firstContact.end()
    await Promise.all([pub.close(), sub.close()])
  }

  return {
    prefix,
    get status() {
      return availability.status
    },
    get breaker() {
      return breaker.state
    },
    ready: availability.ready,
    script: (source) => {
      assertOpen()
      if (!sources.has(source) && pub.isUp) teach(source)
      sources.add(source)
      return createScript(source, send)
    },
    // Upper case: ioredis reshapes the replies of some commands that it knows in lower case.
    command: (name, ...args) => send(name.toUpperCase(), args),
    publish: async (channel, text) => void (await send('PUBLISH', [`${prefix}:${channel}`, text])),
    subscribe: (channel, handler) => {
      assertOpen()
      return subscriptions.add(channel, handler)
    },
    sideKey,
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
    dispose: () => (closing ??= close()),
  }
}

function checkBreakerOptions(failures: number, probeMs: number): void {
  if (Number.isInteger(failures) && failures > 0 && probeMs > 0 && probeMs < 2 ** 31) return
  throw new RealtimeError('INVALID_OPTIONS', {
    message: '`breakerFailures` and `breakerProbeMs` must be positive, the first a whole number.',
  })
}
