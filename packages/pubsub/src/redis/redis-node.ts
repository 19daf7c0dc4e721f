import type { Redis } from 'ioredis'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { isConnectionFailure } from './errors.ts'
import type { Commands, CommandsOptions } from './commands.ts'
import { createRedisClient } from './redis-client.ts'
import { guardedSend } from './guarded-send.ts'
import { isClusterDown } from './cluster/redirection.ts'
import { parseTime } from './redis-clock.ts'
import type { Send } from './script.ts'

/** One server, as far as a Cluster needs to know more of it. */
export interface RedisNode extends Commands {
  /** Sends one command, whatever the breaker says. */
  ask: Send
  /** It refused to serve because the Cluster is down. */
  readonly sawClusterDown: boolean
}

/** Commands to one server, over one connection, behind a circuit breaker of its own (N10). Connects at once. */
export function createRedisNode(client: Redis, owned: boolean, options: CommandsOptions): RedisNode {
  const { sources, keepAliveMs, breakerFailures, breakerProbeMs, onReady, onLost, onBreaker, onTime, onError } = options
  const breaker = createCircuitBreaker({ failures: breakerFailures, probeEveryMs: breakerProbeMs, onState: onBreaker })
  let readies = 0
  let sawClusterDown = false

  const loadScript = (source: string): void => void (connection.isUp && connection.send('SCRIPT', ['LOAD', source]).catch(() => {}))
  const connection = createRedisClient(client, owned, {
    keepAliveMs,
    onReady: () => {
      for (const source of sources) loadScript(source)
      breaker.probeNow()
      readies += 1
      onReady(readies > 1)
    },
    onLost,
  })
  const ask: Send = async (name, args) => {
    try {
      return await connection.send(name, args)
    } catch (error) {
      sawClusterDown ||= isClusterDown(error)
      throw error
    }
  }
  connection.open()
  const node: RedisNode = {
    ask,
    get sawClusterDown() {
      return sawClusterDown
    },
    get isUp() {
      return connection.isUp
    },
    get breaker() {
      return breaker.state
    },
    send: guardedSend(breaker, ask),
    loadScript,
    probe: async () => {
      if (!connection.isUp) return
      sawClusterDown = false
      breaker.probeNow()
      try {
        const time = parseTime(await connection.send('TIME', []))
        if (time !== undefined) onTime(time)
        breaker.succeeded()
      } catch (error) {
        if (isConnectionFailure(error)) breaker.failed()
        else onError(error)
      }
    },
    masters: () => [node],
    close: () => {
      breaker.close()
      return connection.close()
    },
  }
  return node
}
