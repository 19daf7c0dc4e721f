import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnInstance, startTcpProxy, type Instance, type TcpProxy } from '@tutti/test-kit'
import type { Deliveries } from '../load/load.ts'
import { startMeasuredRedis, type MeasuredRedis } from '../measure/measured-redis.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import type { ClientName } from './clients.ts'

/** What is measured, and its two controls. */
export const SIDES = {
  relay: { instance: new URL('relay/relay-instance.ts', import.meta.url), channel: 'relay' },
  tutti: { instance: new URL('tutti/tutti-instance.ts', import.meta.url), channel: 'tutti:watch' },
  adapter: { instance: new URL('adapter/adapter-instance.ts', import.meta.url), channel: 'socket.io#/#*' },
} as const

/** Name of a side. */
export type SideName = keyof typeof SIDES

/** CPU (user and system) that a stretch took, milliseconds. */
export interface CpuFigures {
  /** Of each instance. */
  instancesMs: readonly [number, number]
  /** Of both instances. */
  serverMs: number
  redisMs: number
  clientsMs: number
}

/** Two instances on a Redis of their own, with a process of clients. */
export interface Side {
  readonly name: SideName
  readonly redis: MeasuredRedis
  readonly instances: readonly [Instance, Instance]
  /** Between Redis and the second instance, where it was wanted. */
  readonly proxy: TcpProxy | undefined
  /** Connects the clients of a load. */
  openLoad(name: string, client: ClientName, plan: object): Promise<void>
  /** Runs a step of the load. */
  step(name: string, ...args: unknown[]): Promise<unknown>
  /** What the load has delivered so far. Closes its clients. */
  closeLoad(): Promise<Deliveries>
  /** Measures the CPU of a stretch; the processes of Tutti are profiled meanwhile, where profiles are wanted. */
  measure<T>(label: string, run: () => Promise<T>): Promise<CpuFigures & { result: T }>
  stop(): Promise<void>
}

/** How a side is started. */
export interface SideOptions {
  /** Puts a proxy between Redis and the second instance. */
  proxied?: boolean
  /** Folder for CPU profiles of Tutti's instances and their clients. */
  profileFolder?: string | undefined
}

/** Starts Redis and the processes of a side. */
export async function startSide(name: SideName, { proxied = false, profileFolder }: SideOptions = {}): Promise<Side> {
  const redis = await startMeasuredRedis()
  const proxy = proxied ? await startTcpProxy(redis.address) : undefined
  const spawnServer = (url: string): Promise<Instance> =>
    spawnInstance(SIDES[name].instance, { env: { REDIS_URL: url, NODE_OPTIONS: '--expose-gc' } })
  const [first, second, clients] = await Promise.all([
    spawnServer(redis.url),
    spawnServer(proxy === undefined ? redis.url : `redis://${proxy.host}:${proxy.port}`),
    spawnInstance(new URL('../load/load-instance.ts', import.meta.url)),
  ])
  const instances = [first, second] as const
  const folder = name === 'tutti' ? profileFolder : undefined

  const failing = (error: unknown): never => {
    throw new Error(`${name}: ${String(error)}`, { cause: error })
  }
  const withProfiles = async <T>(label: string, run: () => Promise<T>): Promise<T> => {
    if (folder === undefined) return run()
    await mkdir(folder, { recursive: true })
    const processes = { 'instance-1': first, 'instance-2': second, clients }
    await Promise.all(Object.values(processes).map((instance) => instance.call('startProfile')))
    const result = await run()
    const file = (part: string, pid: number): string => join(folder, `${label.replaceAll(/\W+/g, '-')}-${part}-${pid}.cpuprofile`)
    await Promise.all(Object.entries(processes).map(([part, instance]) => instance.call('stopProfile', file(part, instance.pid))))
    return result
  }
  return {
    ...{ name, redis, instances, proxy },
    openLoad: async (load, client, plan) => {
      const urls = instances.map(({ ready }) => ready['url'])
      await clients.call('open', load, client, urls, plan).catch(failing)
    },
    step: (step, ...args) => clients.call('step', step, ...args).catch(failing),
    closeLoad: async () => {
      const deliveries = numbersOf(['expected', 'delivered', 'doubled'], await clients.call('deliveries'))
      await clients.call('close')
      return deliveries
    },
    measure: (label, run) =>
      withProfiles(label, async () => {
        const before = await cpuOf([...instances, clients], redis)
        const result = await run()
        const after = await cpuOf([...instances, clients], redis)
        const [one, two, clientsMs, redisMs] = [0, 1, 2, 3].map((index) => (after[index] ?? 0) - (before[index] ?? 0))
        const instancesMs = [one ?? 0, two ?? 0] as const
        return { result, instancesMs, serverMs: instancesMs[0] + instancesMs[1], clientsMs: clientsMs ?? 0, redisMs: redisMs ?? 0 }
      }),
    stop: async () => {
      await Promise.all([clients.kill(), ...instances.map((instance) => instance.kill())])
      await proxy?.close()
      await redis.stop()
    },
  }
}

/** CPU of processes that serve `cpu`, milliseconds. */
export async function cpuMsOf(instance: Instance): Promise<number> {
  const { user, system } = numbersOf(['user', 'system'], await instance.call('cpu'))
  return (user + system) / 1000
}

const cpuOf = (instances: readonly Instance[], redis: MeasuredRedis): Promise<number[]> =>
  Promise.all([...instances.map(cpuMsOf), redis.cpuMs()])
