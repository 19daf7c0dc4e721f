import { eventually } from './eventually.ts'
import { sendToRedis, type RedisReply } from './redis-reply.ts'
import { startRedis, type TestRedis } from './redis.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** A master and its replica, monitored by three Sentinels. */
export interface TestRedisSentinel {
  /** The master's name in Sentinel. */
  readonly name: string
  /** The addresses of the Sentinels. */
  readonly sentinels: readonly { host: string; port: number }[]
  /** The Sentinels' processes. */
  readonly watchers: readonly TestRedis[]
  /** The data nodes in the order of their start: the first was the master. */
  readonly nodes: readonly [TestRedis, TestRedis]
  /** The current master according to the Sentinels. */
  master(): Promise<TestRedis>
  /**
   * Promotes the replica: by killing the master (`crash`, the default), or by an ordered failover of a running master
   * (`order`), which then receives the same commands as from the Sentinels, which would wait 10 s. Settles when all Sentinels
   * report the new master and it accepts writes.
   */
  failOver(how?: 'crash' | 'order'): Promise<TestRedis>
  /** Stops all processes. */
  stop(): Promise<void>
}

const NAME = 'tutti'

// A Sentinel that was stalled for 2 s, as on a busy machine, does nothing for 30 s.
const TIMEOUT_MS = 60_000

/** Start options. */
export interface TestRedisSentinelOptions {
  /** Added to the command lines of master and replica. */
  args?: readonly string[]
  /** How long the master may be silent until the Sentinels count it as down, milliseconds. Default: 1,000. */
  downAfterMs?: number
  /** Proxies in front of master and replica, announced to clients and to each other instead of them. */
  proxies?: readonly [TcpProxy, TcpProxy]
}

/** Starts it, which takes about 3 s; a failover takes as long. */
export async function startSentinel(options: TestRedisSentinelOptions = {}): Promise<TestRedisSentinel> {
  const { args = [], downAfterMs = 1_000, proxies } = options
  const settings = ['--repl-diskless-sync-delay', '0', ...args]
  // In a file, in which the Sentinels store the current role: a restart continues with that role.
  const startNode = async (place: 0 | 1, lines: readonly string[]): Promise<TestRedis> => {
    const proxy = proxies?.[place]
    const announcing = proxy === undefined ? [] : [`replica-announce-port ${proxy.port}`]
    const node = await startRedis({ args: settings, config: [...announcing, ...lines, ''].join('\n') })
    proxy?.retarget(node)
    return node
  }
  const first = await startNode(0, [])
  const firstPort = proxies?.[0].port ?? first.port
  const second = await startNode(1, [`replicaof ${first.host} ${firstPort}`])
  const announcedPort = (node: TestRedis): number => (node === first ? firstPort : (proxies?.[1].port ?? second.port))
  const nodes: [TestRedis, TestRedis] = [first, second]
  const config = [
    `sentinel monitor ${NAME} ${first.host} ${firstPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 3000`,
  ]
  const watchers = await Promise.all(Array.from({ length: 3 }, () => startRedis({ sentinel: `${config.join('\n')}\n` })))

  const masterOf = async (watcher: TestRedis): Promise<TestRedis> => {
    const address = await sendToRedis(watcher, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
    const port = Array.isArray(address) ? Number(address[1]) : 0
    const master = nodes.find((node) => announcedPort(node) === port)
    if (master === undefined) throw new Error('The Sentinels name no master.')
    return master
  }
  const master = async (): Promise<TestRedis> => {
    const [one, ...others] = await Promise.all(watchers.map(masterOf))
    if (one === undefined || others.some((other) => other !== one)) throw new Error('The Sentinels do not agree.')
    return one
  }
  /**
   * Each Sentinel knows the two others, the master and the replica, which has the master's data: then a failover can succeed.
   */
  const settled = async (): Promise<void> => {
    for (const watcher of watchers) {
      await sendToRedis(watcher, 'SENTINEL', 'CKQUORUM', NAME)
      const seen = fieldsOf(await sendToRedis(watcher, 'SENTINEL', 'MASTER', NAME))
      const replicas = await sendToRedis(watcher, 'SENTINEL', 'REPLICAS', NAME)
      const replica = fieldsOf(Array.isArray(replicas) ? replicas[0] : undefined)
      const found = [
        seen.get('num-other-sentinels'),
        seen.get('num-slaves'),
        seen.get('flags'),
        replica.get('flags'),
        replica.get('role-reported'),
      ]
      if (found.join() !== '2,1,master,slave,slave') throw new Error('The Sentinels do not know all yet.')
    }
    const replica = (await master()) === first ? second : first
    if (!String(await sendToRedis(replica, 'INFO', 'replication')).includes('master_link_status:up')) throw new Error('Not replicated yet.')
  }
  await eventually(settled, { timeoutMs: TIMEOUT_MS, everyMs: 50 })

  return {
    name: NAME,
    sentinels: watchers.map(({ host, port }) => ({ host, port })),
    watchers,
    nodes,
    master,
    failOver: async (how = 'crash') => {
      // A replica that has just restarted has no data yet.
      await eventually(settled, { timeoutMs: TIMEOUT_MS, everyMs: 50 })
      const before = await master()
      if (how === 'crash') await before.kill()
      // A Sentinel refuses for a while after another failover.
      else await eventually(() => sendToRedis(watchers[0] ?? before, 'SENTINEL', 'FAILOVER', NAME), { timeoutMs: TIMEOUT_MS, everyMs: 100 })
      const after = await eventually(
        async () => {
          const now = await master()
          if (now === before) throw new Error('The Sentinels still name the old master.')
          if (!String(await sendToRedis(now, 'INFO', 'replication')).includes('role:master')) throw new Error('It is no master yet.')
          return now
        },
        { timeoutMs: TIMEOUT_MS, everyMs: 50 },
      )
      if (how === 'crash') return after
      await sendToRedis(before, 'REPLICAOF', after.host, announcedPort(after))
      for (const type of ['normal', 'pubsub']) await sendToRedis(before, 'CLIENT', 'KILL', 'TYPE', type)
      return after
    },
    stop: async () => void (await Promise.all([...watchers, ...nodes].map((node) => node.stop()))),
  }
}

/** Alternating names and values. */
function fieldsOf(reply: RedisReply | undefined): Map<string, RedisReply | undefined> {
  const items = Array.isArray(reply) ? reply : []
  return new Map(items.flatMap((item, place) => (place % 2 === 0 ? [[String(item), items[place + 1]]] : [])))
}
