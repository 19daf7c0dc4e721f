import type { Redis } from 'ioredis'
import { createCircuitBreaker, guardedSend } from './circuit-breaker.ts'
import { isConnectionFailure } from './errors.ts'
import type { Commands, CommandsOptions } from './commands.ts'
import { createRedisClient } from './redis-client.ts'
import { isClusterDown } from './cluster/redirection.ts'
import { parseTime } from './redis-clock.ts'
import { promised, type Send, type SendCommand } from './script.ts'

/** One server, with the details that a Cluster needs. */
export interface RedisNode extends Commands {
  /** Sends one command, regardless of the breaker. */
  readonly ask: Send
  /** The server refused to serve because the Cluster is down. */
  readonly sawClusterDown: boolean
}

/** Commands to one server, over one connection, behind its own circuit breaker (N10). Connects at once. */
export function createRedisNode(client: Redis, owned: boolean, options: CommandsOptions): RedisNode {
  const { sources, keepAliveMs, endOfTurn, breakerFailures, breakerProbeMs, onReady, onLost, onBreaker, onTime, onError } = options
  const breaker = createCircuitBreaker({ failures: breakerFailures, probeEveryMs: breakerProbeMs, onState: onBreaker })
  let readies = 0
  let sawClusterDown = false

  const loadScript = (source: string): void => void (connection.isUp && connection.ask('SCRIPT', ['LOAD', source]).catch(() => {}))
  const connection = createRedisClient(client, owned, {
    keepAliveMs,
    endOfTurn,
    onReady: () => {
      for (const source of sources) loadScript(source)
      breaker.probeNow()
      readies += 1
      onReady(readies > 1)
    },
    onLost,
  })
  const send: SendCommand = (name, args, onReply, onError) =>
    connection.send(name, args, onReply, (error) => {
      sawClusterDown ||= isClusterDown(error)
      onError(error)
    })
  connection.open()
  const node: RedisNode = {
    ask: promised(send),
    get sawClusterDown() {
      return sawClusterDown
    },
    get isUp() {
      return connection.isUp
    },
    get breaker() {
      return breaker.state
    },
    send: guardedSend(breaker, send),
    loadScript,
    probe: async () => {
      if (!connection.isUp) return
      sawClusterDown = false
      breaker.probeNow()
      try {
        const time = parseTime(await connection.ask('TIME', []))
        if (time !== undefined) onTime(time)
        breaker.succeeded()
      } catch (error) {
        if (isConnectionFailure(error)) breaker.failed()
        else onError(error)
      }
    },
    drop: () => connection.drop(),
    masters: () => [node],
    close: () => {
      breaker.close()
      return connection.close()
    },
  }
  return node
}
