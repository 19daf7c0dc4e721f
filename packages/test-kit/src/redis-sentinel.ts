import { eventually } from './eventually.ts'
import { askRedis, type RedisReply } from './redis-reply.ts'
import { startRedis, type TestRedis } from './redis.ts'

/** A master and its replica, watched by three Sentinels. */
export interface TestRedisSentinel {
  /** The Sentinels' name of the master. */
  readonly name: string
  /** The addresses of the Sentinels. */
  readonly sentinels: readonly { host: string; port: number }[]
  /** The Sentinels' processes. */
  readonly watchers: readonly TestRedis[]
  /** The two that hold data, as they were started: the first was the master. */
  readonly nodes: readonly [TestRedis, TestRedis]
  /** The one that the Sentinels name as master now. */
  master(): Promise<TestRedis>
  /**
   * Makes the replica the master: by ending the master as a crash would (`crash`, the default), or in good order while
   * it lives (`order`), which the old one is then told with the words that the Sentinels have for it, though they wait
   * 10 s. Settles when all Sentinels name the new one and it takes writes.
   */
  failOver(how?: 'crash' | 'order'): Promise<TestRedis>
  /** Ends all. */
  stop(): Promise<void>
}

const NAME = 'tutti'

// A Sentinel that stood still for 2 s, as on a busy machine, does nothing for 30 s.
const TIMEOUT_MS = 60_000

/** Starts it, which takes about 3 s; a failover takes as long. `args` are added to the command lines of master and replica. */
export async function startSentinel({ args = [] }: { args?: readonly string[] } = {}): Promise<TestRedisSentinel> {
  const settings = ['--repl-diskless-sync-delay', '0', ...args]
  const first = await startRedis({ args: settings })
  const second = await startRedis({ args: [...settings, '--replicaof', `${first.host} ${first.port}`] })
  const nodes: [TestRedis, TestRedis] = [first, second]
  const config = [
    `sentinel monitor ${NAME} ${first.host} ${first.port} 2`,
    `sentinel down-after-milliseconds ${NAME} 1000`,
    `sentinel failover-timeout ${NAME} 3000`,
  ]
  const watchers = await Promise.all(Array.from({ length: 3 }, () => startRedis({ sentinel: `${config.join('\n')}\n` })))

  const masterOf = async (watcher: TestRedis): Promise<TestRedis> => {
    const address = await askRedis(watcher, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
    const port = Array.isArray(address) ? Number(address[1]) : 0
    const master = nodes.find((node) => node.port === port)
    if (master === undefined) throw new Error('The Sentinels name no master.')
    return master
  }
  const master = async (): Promise<TestRedis> => {
    const [one, ...others] = await Promise.all(watchers.map(masterOf))
    if (one === undefined || others.some((other) => other !== one)) throw new Error('The Sentinels do not agree.')
    return one
  }
  /** Each Sentinel knows the two others, the master and the replica, which has the master's data: then a failover can succeed. */
  const settled = async (): Promise<void> => {
    for (const watcher of watchers) {
      await askRedis(watcher, 'SENTINEL', 'CKQUORUM', NAME)
      const seen = fieldsOf(await askRedis(watcher, 'SENTINEL', 'MASTER', NAME))
      const replicas = await askRedis(watcher, 'SENTINEL', 'REPLICAS', NAME)
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
    if (!String(await askRedis(replica, 'INFO', 'replication')).includes('master_link_status:up')) throw new Error('Not replicated yet.')
  }
  await eventually(settled, { timeoutMs: TIMEOUT_MS, everyMs: 50 })

  return {
    name: NAME,
    sentinels: watchers.map(({ host, port }) => ({ host, port })),
    watchers,
    nodes,
    master,
    failOver: async (how = 'crash') => {
      // A replica that has just come back has nothing yet.
      await eventually(settled, { timeoutMs: TIMEOUT_MS, everyMs: 50 })
      const before = await master()
      if (how === 'crash') await before.kill()
      // A Sentinel refuses for a while after another failover.
      else await eventually(() => askRedis(watchers[0] ?? before, 'SENTINEL', 'FAILOVER', NAME), { timeoutMs: TIMEOUT_MS, everyMs: 100 })
      const after = await eventually(
        async () => {
          const now = await master()
          if (now === before) throw new Error('The Sentinels still name the old master.')
          if (!String(await askRedis(now, 'INFO', 'replication')).includes('role:master')) throw new Error('It is no master yet.')
          return now
        },
        { timeoutMs: TIMEOUT_MS, everyMs: 50 },
      )
      if (how === 'crash') return after
      await askRedis(before, 'REPLICAOF', after.host, after.port)
      for (const type of ['normal', 'pubsub']) await askRedis(before, 'CLIENT', 'KILL', 'TYPE', type)
      return after
    },
    stop: async () => void (await Promise.all([...watchers, ...nodes].map((node) => node.stop()))),
  }
}

/** Names and values that follow one another. */
function fieldsOf(reply: RedisReply | undefined): Map<string, RedisReply | undefined> {
  const items = Array.isArray(reply) ? reply : []
  return new Map(items.flatMap((item, place) => (place % 2 === 0 ? [[String(item), items[place + 1]]] : [])))
}
