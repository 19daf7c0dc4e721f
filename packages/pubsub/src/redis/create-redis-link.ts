import { RealtimeError } from '@tutti/protocol'
import type { PubSubOptions, PubSubStatus } from '../contract.ts'
import { createDeferred } from '../deferred.ts'
import { createListeners } from '../listeners.ts'
import { createReport } from '../report.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { isConnectionFailure } from './classify-redis-error.ts'
import { connectClients, type RedisConnectionOptions } from './connect-clients.ts'
import { createConnection, type Connection } from './connection.ts'
import type { BreakerState, RedisLink } from './link-contract.ts'
import { createRedisClock, parseTime } from './redis-clock.ts'
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

/** Connects to Redis over exactly two connections, at once (N1). Throws `INVALID_OPTIONS`. */
export function createRedisLink(options: RedisLinkOptions, instanceId: string): RedisLink {
  const { prefix = 'tutti', onError, breakerFailures = 5, breakerProbeMs = 30_000 } = options
  checkBreakerOptions(breakerFailures, breakerProbeMs)
  const clients = connectClients(options, `${prefix}:${instanceId}`)
  const report = createReport(onError)
  const onListenerError = (error: unknown): void => report(error, { stage: 'handler' })
  const gapListeners = createListeners<[]>(onListenerError)
  const statusListeners = createListeners<[PubSubStatus]>(onListenerError)
  const breakerListeners = createListeners<[BreakerState]>(onListenerError)
  const breaker = createCircuitBreaker({
    failures: breakerFailures,
    probeEveryMs: breakerProbeMs,
    onState: (state) => breakerListeners.emit(state),
  })
  const clock = createRedisClock()
  const firstReady = createDeferred<void>()
  const sources = new Set<string>()
  let status: PubSubStatus = 'connecting'
  let closing: Promise<void> | undefined
  let gap = false
  let outageReported = false
  let lastCheck = 0

  const setStatus = (next: PubSubStatus): void => {
    if (status === next || status === 'closed') return
    status = next
    statusListeners.emit(next)
  }

  const lost = (cause: unknown): void => {
    lastCheck += 1
    setStatus('unavailable')
    if (outageReported || closing !== undefined) return
    outageReported = true
    const reason = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : ''
    report(new RealtimeError('UNAVAILABLE', { message: `Redis is away${reason}; it is being sought.`, cause }), { stage: 'connection' })
  }

  /** Redis' clock, and the breaker's probe. */
  const checkPub = async (): Promise<void> => {
    try {
      const time = parseTime(await pub.send('TIME', []))
      if (time !== undefined) clock.adjust(time)
      breaker.succeeded()
    } catch (error) {
      if (isConnectionFailure(error)) breaker.failed()
      else report(error, { stage: 'connection' })
    }
  }

  /** When one has come back the other is asked too: what listens only may hang unseen, and then there is a gap as well. */
  const check = async (): Promise<void> => {
    const thisCheck = ++lastCheck
    const checks = [pub.isUp ? checkPub() : undefined, sub.isUp ? sub.send('PING', []) : undefined]
    await Promise.allSettled([...checks, subscriptions.settled()])
    if (thisCheck !== lastCheck || !pub.isUp || !sub.isUp || closing !== undefined) return
    outageReported = false
    setStatus('ready')
    firstReady.resolve()
    if (!gap) return
    gap = false
    gapListeners.emit()
  }

  /** Both were there before, or one of them: in between something may have been missed (N6). */
  const cameBack = (times: number): void => {
    gap ||= times > 1
    void check()
  }

  let pubReadies = 0
  const pub: Connection = createConnection(clients.pub, clients.owned, {
    onReady: () => {
      for (const source of sources) teach(source)
      breaker.probeNow()
      cameBack(++pubReadies)
    },
    onLost: lost,
  })
  let subReadies = 0
  const sub: Connection = createConnection(clients.sub, clients.owned, {
    onReady: () => {
      subscriptions.renew()
      cameBack(++subReadies)
    },
    onLost: lost,
    onMessage: (redisChannel, text) => subscriptions.receive(redisChannel, text),
  })
  const subscriptions = createSubscriptions({ sub: () => sub, prefix, report })

  /** Where it may not be taught, a run finds out by NOSCRIPT and sends it whole. */
  const teach = (source: string): void => void pub.send('SCRIPT', ['LOAD', source]).catch(() => {})

  const assertOpen = (): void => {
    if (closing !== undefined) throw new RealtimeError('CLOSED')
  }

  const send: Send = async (name, args) => {
    assertOpen()
    if (!breaker.tryPass()) throw new RealtimeError('UNAVAILABLE', { message: 'Redis failed repeatedly and is left alone for a while.' })
    try {
      const reply = await pub.send(name, args)
      breaker.succeeded()
      return reply
    } catch (error) {
      if (isConnectionFailure(error)) breaker.failed()
      else breaker.succeeded()
      throw error
    }
  }

  const close = async (): Promise<void> => {
    setStatus('closed')
    firstReady.reject(new RealtimeError('CLOSED'))
    subscriptions.clear()
    breaker.close()
    await Promise.all([pub.close(), sub.close()])
    for (const listeners of [gapListeners, statusListeners, breakerListeners]) listeners.clear()
  }

  return {
    prefix,
    get status() {
      return status
    },
    get breaker() {
      return breaker.state
    },
    ready: firstReady.promise,
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
      return gapListeners.add(listener)
    },
    onStatus: (listener) => {
      assertOpen()
      return statusListeners.add(listener)
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
