import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { sendToRedis } from './redis-reply.ts'
import { startRedis, type TestRedis } from './redis.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** A separate Redis Cluster: three masters, each with the same number of replicas. */
export interface TestRedisCluster {
  /** The nodes, the initial masters first. */
  readonly nodes: readonly TestRedis[]
  /** Their addresses. */
  readonly addresses: readonly { host: string; port: number }[]
  /** Settles when every running node reports that all slots are served. */
  serving(): Promise<void>
  /**
   * Moves one slot with its keys to another of the first three nodes, like resharding. Rejects if a node is down; can be
   * repeated.
   */
  moveSlot(slot: number, to: TestRedis): Promise<void>
  /** Stops all processes. */
  stop(): Promise<void>
}

/** Start options. */
export interface TestRedisClusterOptions {
  /** Of each master. Default: 0. */
  replicas?: number
  /** How long a node may be silent until it counts as failed, milliseconds. Default: 2,000. */
  nodeTimeoutMs?: number
  /** Added to each command line. */
  args?: readonly string[]
  /** Proxies in front of the first nodes, announced to clients instead of them. */
  proxies?: readonly TcpProxy[]
}

const MASTERS = 3
const SLOTS = 16_384

/** Starts it; takes about 2 s, with replicas 4. */
export async function startRedisCluster(options: TestRedisClusterOptions = {}): Promise<TestRedisCluster> {
  const { replicas = 0, nodeTimeoutMs = 2_000, args = [], proxies = [] } = options
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0', ...args]
  const startNode = async (place: number) => {
    const busPort = await freePort()
    const proxy = proxies[place]
    const announcing = proxy === undefined ? [] : ['--cluster-announce-port', `${proxy.port}`, '--cluster-announce-bus-port', `${busPort}`]
    const node = await startRedis({ args: [...settings, '--cluster-port', `${busPort}`, ...announcing] })
    proxy?.retarget(node)
    return { busPort, node }
  }
  // Repeated with another port if another process took the first.
  const started = await Promise.all(
    Array.from({ length: MASTERS * (1 + replicas) }, (_, place) => startNode(place).catch(() => startNode(place))),
  )
  const [nodes, busPorts] = [started.map(({ node }) => node), started.map(({ busPort }) => busPort)]
  const [first] = nodes
  if (first === undefined) throw new Error('There are nodes.')
  const masters = nodes.slice(0, MASTERS)

  const allAgree = async (count: number, alive: (node: TestRedis) => boolean): Promise<void> => {
    await eventually(
      async () => {
        for (const node of nodes.filter(alive)) {
          const info = String(await sendToRedis(node, 'CLUSTER', 'INFO'))
          if (count > 0 && !info.includes(`cluster_known_nodes:${count}\r`)) throw new Error('Not all nodes know each other.')
          if (!info.includes('cluster_state:ok')) throw new Error('Not all slots are served.')
        }
      },
      { timeoutMs: 60_000, everyMs: 50 },
    )
  }
  /** A node that takes a slot makes an epoch greater than those that it knows, so it must know them all: the greatest wins. */
  const knowsAllEpochs = (): Promise<void> =>
    eventually(async () => {
      const infos = await Promise.all(masters.map(async (node) => String(await sendToRedis(node, 'CLUSTER', 'INFO'))))
      const epochs = new Set(infos.map((info) => /cluster_current_epoch:(\d+)/.exec(info)?.[1]))
      if (epochs.size > 1) throw new Error('Not all nodes know the newest epoch.')
    })
  const idOf = async (node: TestRedis): Promise<string> => String(await sendToRedis(node, 'CLUSTER', 'MYID'))

  await Promise.all(
    masters.map(async (node, place) => {
      await sendToRedis(node, 'CLUSTER', 'SET-CONFIG-EPOCH', place + 1)
      const [from, to] = [place, place + 1].map((end) => Math.floor((SLOTS * end) / MASTERS))
      await sendToRedis(node, 'CLUSTER', 'ADDSLOTSRANGE', from ?? 0, (to ?? SLOTS) - 1)
    }),
  )
  for (const [place, node] of nodes.entries()) {
    if (node !== first) await sendToRedis(first, 'CLUSTER', 'MEET', node.host, node.port, busPorts[place] ?? 0)
  }
  await allAgree(nodes.length, (node) => masters.includes(node))
  for (const [place, replica] of nodes.slice(MASTERS).entries()) {
    const master = await idOf(masters[place % MASTERS] ?? first)
    await eventually(() => sendToRedis(replica, 'CLUSTER', 'REPLICATE', master))
  }
  // A failover is possible only once the replica has its master's data.
  await eventually(async () => {
    for (const replica of nodes.slice(MASTERS)) {
      if (!String(await sendToRedis(replica, 'INFO', 'replication')).includes('master_link_status:up'))
        throw new Error('Not replicated yet.')
    }
  })
  await allAgree(nodes.length, () => true)

  return {
    nodes,
    addresses: nodes.map(({ host, port }) => ({ host, port })),
    serving: () => allAgree(0, ({ process }) => process.exitCode === null && process.signalCode === null),
    moveSlot: async (slot, to) => {
      await knowsAllEpochs()
      const id = await idOf(to)
      const owners = await Promise.all(
        masters.map(async (node) => ({ node, slots: await sendToRedis(node, 'CLUSTER', 'COUNTKEYSINSLOT', slot) })),
      )
      for (const { node } of owners.filter(({ node, slots }) => node !== to && Number(slots) > 0)) {
        await sendToRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(node))
        await sendToRedis(node, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', id)
        const keys = await sendToRedis(node, 'CLUSTER', 'GETKEYSINSLOT', slot, 1_000)
        for (const key of Array.isArray(keys) ? keys : []) await sendToRedis(node, 'MIGRATE', to.host, to.port, String(key), 0, 2_000)
      }
      // Also if no key has moved: the node that imports a slot takes it with a new epoch, which all others then follow. A node
      // that already has the slot refuses.
      const [other] = masters.filter((master) => master !== to)
      if (other !== undefined) await sendToRedis(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(other)).catch(() => {})
      for (const node of [to, ...masters.filter((master) => master !== to)]) await sendToRedis(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', id)
    },
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}
