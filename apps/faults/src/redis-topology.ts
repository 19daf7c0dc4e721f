import {
  sendToRedis,
  eventually,
  startRedis,
  startRedisCluster,
  startSentinel,
  startTcpProxy,
  type TcpProxy,
  type TestRedis,
} from '@tutti/test-kit'
import { KEYS } from './workload.ts'

/** The topologies of Redis under which schedules run. */
export const TOPOLOGIES = ['standalone', 'sentinel', 'cluster'] as const

/** The name of a topology. */
export type TopologyName = (typeof TOPOLOGIES)[number]

/** A Redis deployment that loses no acknowledged write, with its possible faults. */
export interface RedisTopology {
  /** The processes that hold data. */
  readonly nodes: readonly TestRedis[]
  /** The Redis link of an instance: its own for a standalone Redis, else one shared link to a node. */
  link(index: number): TcpProxy
  /** Options of `RealtimePubSub` for that instance. */
  connection(index: number): Record<string, unknown>
  /** Changes the assignment of nodes without losing an acknowledged write: a failover, or a moved slot. */
  reconfigure(index: number): Promise<void>
  /** The number of reconfigurations. */
  readonly reconfigurations: number
  /** Starts and continues every node, ends the faults of every link, and completes interrupted moves. */
  heal(): Promise<void>
  /** Stops everything. */
  stop(): Promise<void>
}

/** How Redis is started. */
export interface TopologyOptions {
  /** Whether a restarted node has its data. Default true. */
  isDurable?: boolean | undefined
  /** Keys whose slots `reconfigure` moves on a Cluster. Default: those of the workload. */
  movedKeys?: readonly string[] | undefined
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
/**
 * Longer than any fault: an unplanned failover may lose acknowledged writes (F1), which the checks cannot distinguish from a
 * violation.
 */
const DOWN_AFTER_MS = 60_000
const PAUSE_MS = 10_000

type Settings = Required<{ [Name in keyof TopologyOptions]: NonNullable<TopologyOptions[Name]> }>

const start: Record<TopologyName, (instances: number, settings: Settings) => Promise<RedisTopology>> = { standalone, sentinel, cluster }

/** Starts Redis in a topology, for so many instances. */
export const startTopology = (name: TopologyName, instances: number, options: TopologyOptions = {}): Promise<RedisTopology> =>
  start[name](instances, { isDurable: options.isDurable ?? true, movedKeys: options.movedKeys ?? KEYS.map((key) => `tutti:${key}`) })

const argsOf = ({ isDurable }: Settings): readonly string[] => (isDurable ? DURABLE : [])

/** A proxy without a target yet. */
const startProxy = (): Promise<TcpProxy> => startTcpProxy({ host: '127.0.0.1', port: 1 })

const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items[index % items.length]
  if (item === undefined) throw new Error('The list is empty.')
  return item
}

async function standalone(instances: number, settings: Settings): Promise<RedisTopology> {
  const redis = await startRedis({ args: argsOf(settings) })
  const links = await Promise.all(Array.from({ length: instances }, () => startTcpProxy(redis)))
  return {
    nodes: [redis],
    link: (index) => at(links, index),
    connection: (index) => ({ host: '127.0.0.1', port: at(links, index).port }),
    reconfigure: async () => {},
    reconfigurations: 0,
    heal: () => healAll([redis], links),
    stop: () => stopAll([...links, redis]),
  }
}

async function sentinel(_instances: number, settings: Settings): Promise<RedisTopology> {
  const links = [await startProxy(), await startProxy()] as const
  let reconfigurations = 0
  const redis = await startSentinel({ args: argsOf(settings), downAfterMs: DOWN_AFTER_MS, proxies: links })
  return {
    nodes: redis.nodes,
    link: (index) => at(links, index),
    connection: () => ({ sentinels: redis.sentinels, name: redis.name }),
    reconfigure: async () => {
      const before = await redis.master()
      // The replica is up to date, and writes pause until it is the master: the failover loses nothing.
      await sendToRedis(before, 'CLIENT', 'PAUSE', PAUSE_MS, 'WRITE')
      await eventually(async () => {
        const info = String(await sendToRedis(before, 'INFO', 'replication'))
        const [, offset] = /master_repl_offset:(\d+)/.exec(info) ?? []
        if (offset === undefined || !info.includes(`offset=${offset},`)) throw new Error('The replica is behind.')
      })
      await redis.failOver('order')
      reconfigurations += 1
    },
    get reconfigurations() {
      return reconfigurations
    },
    heal: () => healAll(redis.nodes, links),
    stop: () => stopAll([...links, redis]),
  }
}

async function cluster(_instances: number, settings: Settings): Promise<RedisTopology> {
  const links = [await startProxy(), await startProxy(), await startProxy()]
  let reconfigurations = 0
  const redis = await startRedisCluster({ args: argsOf(settings), proxies: links })
  /** The move interrupted by a fault: until it is repeated, the nodes may disagree about the slot. */
  let interrupted: number | undefined
  /** One at a time. */
  let moves = Promise.resolve()
  const move = async (index: number): Promise<void> => {
    if (interrupted !== undefined && interrupted !== index) await move(interrupted)
    interrupted = index
    const slot = Number(await sendToRedis(at(redis.nodes, 0), 'CLUSTER', 'KEYSLOT', at(settings.movedKeys, index)))
    await redis.moveSlot(slot, at(redis.nodes, index))
    interrupted = undefined
    reconfigurations += 1
  }
  return {
    nodes: redis.nodes,
    link: (index) => at(links, index),
    connection: () => ({ cluster: links.map(({ host, port }) => ({ host, port })) }),
    reconfigure: (index) => {
      moves = moves.catch(() => {}).then(() => move(index))
      return moves
    },
    get reconfigurations() {
      return reconfigurations
    },
    heal: async () => {
      await healAll(redis.nodes, links)
      await moves.catch(() => {})
      const index = interrupted
      if (index !== undefined) await eventually(() => move(index), { timeoutMs: 20_000, everyMs: 100 })
      await redis.serving()
    },
    stop: () => stopAll([...links, redis]),
  }
}

async function healAll(nodes: readonly TestRedis[], links: readonly TcpProxy[]): Promise<void> {
  for (const node of nodes) {
    node.resume()
    if (node.process.exitCode !== null || node.process.signalCode !== null) await node.restart()
  }
  for (const link of links) link.flow()
}

async function stopAll(parts: readonly ({ close(): Promise<void> } | { stop(): Promise<void> })[]): Promise<void> {
  await Promise.all(parts.map((part) => ('stop' in part ? part.stop() : part.close())))
}
