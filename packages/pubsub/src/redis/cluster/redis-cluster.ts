import { RealtimeError } from '@tutti/protocol'
import type { Redis } from 'ioredis'
import type { BreakerState } from '../link-contract.ts'
import { nodeName, parseClusterSlots, slotOf, type ClusterMap } from './cluster-slots.ts'
import type { Commands, CommandsOptions } from '../commands.ts'
import type { RedisAddress } from '../redis-address.ts'
import { redirectionOf } from './redirection.ts'
import { createRedisNode, type RedisNode } from '../redis-node.ts'
import { promised, type Send } from '../script.ts'

/** Options of the commands to a Cluster. */
export interface RedisClusterOptions extends CommandsOptions {
  /** The first nodes, also used again if no other node is reachable. */
  seeds: readonly RedisAddress[]
  /** Creates a client that does not connect yet. */
  connect: (address: RedisAddress) => Redis
  /** The nodes of the Cluster are known, or have changed. */
  onMap: (map: ClusterMap) => void
}

interface Member {
  readonly address: RedisAddress
  readonly node: RedisNode
  /** The first connection attempt has completed. */
  tried: boolean
}

const LOOK_EVERY_MS = 500
const MAX_REDIRECTIONS = 5

/**
 * Commands to a Cluster: one plain connection to each master, so that each connection follows N5, and losing any of them is a
 * gap (N6): writes acknowledged by its master may be lost. ioredis' own `Cluster` would queue commands for an unreachable node,
 * resend some, and open more connections.
 */
export function createRedisCluster(options: RedisClusterOptions): Commands {
  const { seeds, connect, onMap, onReady, onLost, onBreaker } = options
  const members = new Map<string, Member>()
  const closings = new Set<Promise<void>>()
  let map: ClusterMap | undefined
  let owners: (string | undefined)[] = []
  let [wasUp, missed, isClosed] = [false, false, false]
  let cause: unknown
  let breaker: BreakerState = 'closed'
  let refreshing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const memberAt = (address: RedisAddress): Member | undefined => members.get(nodeName(address))
  const allAreUp = (): boolean => map?.masters.every((address) => memberAt(address)?.node.isUp === true) === true
  const connected = (): Member[] => [...members.values()].filter(({ node }) => node.isUp)

  const open = (address: RedisAddress): void => {
    if (isClosed || memberAt(address) !== undefined) return
    const isMember = (): boolean => memberAt(address) === member
    const node = createRedisNode(connect(address), true, {
      ...options,
      onReady: () => {
        member.tried = true
        if (isMember()) void refreshMap()
      },
      onLost: (reason) => {
        member.tried = true
        if (isMember()) lost(reason)
      },
      onBreaker: notifyBreaker,
    })
    const member: Member = { address, node, tried: false }
    members.set(nodeName(address), member)
  }

  const shut = (member: Member): void => {
    members.delete(nodeName(member.address))
    const closing = member.node.close().finally(() => closings.delete(closing))
    closings.add(closing)
  }

  const lost = (reason: unknown): void => {
    cause = reason
    missed = wasUp
    if (connected().length === 0) seeds.forEach(open)
    settle()
    void refreshMap()
  }

  /** Reports the state once it is known. */
  const settle = (): void => {
    const [all, up] = [[...members.values()], connected()]
    const mayYetCome = all.some(({ tried }) => !tried) || (map === undefined && up.length > 0)
    if (allAreUp()) {
      if (wasUp && !missed) return
      const again = missed
      wasUp = true
      missed = false
      onReady(again)
    } else if (missed || !mayYetCome) onLost(cause)
  }

  const take = (next: ClusterMap): void => {
    if (isClosed || next.masters.length === 0) return
    map = next
    owners = [...next.owners]
    const masters = new Set(next.masters.map(nodeName))
    for (const member of members.values()) if (!masters.has(nodeName(member.address))) shut(member)
    next.masters.forEach(open)
    // Removing a node also removes its circuit-breaker state.
    notifyBreaker()
    // A new master may have lost writes that the previous one acknowledged.
    missed ||= wasUp && !allAreUp()
    onMap(next)
    settle()
  }

  /** Requests the map, now and repeatedly while nodes are missing. */
  const refreshMap = (): Promise<void> => (refreshing ??= requestMap().finally(refreshLater))

  const requestMap = async (): Promise<void> => {
    // A node that reports CLUSTERDOWN may be partitioned from the Cluster, so the others are queried first.
    const candidates = connected().toSorted((a, b) => Number(a.node.sawClusterDown) - Number(b.node.sawClusterDown))
    for (const { address, node } of candidates) {
      try {
        take(parseClusterSlots(await node.ask('CLUSTER', ['SLOTS']), address))
        break
      } catch (error) {
        // Once the map is known, another node or the next refused slot reports the change.
        if (map === undefined && !(error instanceof RealtimeError)) onLost(error)
      }
    }
    for (const { node } of connected().filter((member) => member.node.sawClusterDown)) {
      const info = await node.ask('CLUSTER', ['INFO']).catch(() => '')
      if (String(info).includes('cluster_state:ok')) await node.probe()
    }
  }

  const refreshLater = (): void => {
    refreshing = undefined
    if (isClosed) return
    // A node that became ready during the request is not queried again.
    settle()
    const isWell = allAreUp() && !connected().some(({ node }) => node.sawClusterDown)
    if (isWell || connected().length === 0) return
    timer ??= setTimeout(() => {
      timer = undefined
      void refreshMap()
    }, LOOK_EVERY_MS)
  }

  const notifyBreaker = (): void => {
    const states = [...members.values()].map(({ node }) => node.breaker)
    const next = states.find((state) => state === 'open') ?? states.find((state) => state === 'probing') ?? 'closed'
    if (next === breaker) return
    breaker = next
    onBreaker(next)
  }

  const route: Send = async (name, args) => {
    const slot = slotOf(name, args)
    let target = slot === undefined ? connected()[0] : members.get(owners[slot] ?? '')
    let isAsking = false
    for (let redirections = 0; ; redirections += 1) {
      if (target === undefined)
        throw new RealtimeError('UNAVAILABLE', { message: 'No reachable Cluster node serves this slot. The command was not sent.', cause })
      try {
        if (isAsking) target.node.ask('ASKING', []).catch(() => {})
        return await promised(target.node.send)(name, args)
      } catch (error) {
        if (target.node.sawClusterDown) void refreshMap()
        const redirection = redirectionOf(error)
        if (redirection === undefined || redirections === MAX_REDIRECTIONS) throw error
        const address = { host: redirection.host || target.address.host, port: redirection.port }
        isAsking = redirection.kind === 'ASK'
        if (!isAsking) owners[redirection.slot] = nodeName(address)
        if (!isAsking) void refreshMap()
        open(address)
        target = memberAt(address)
      }
    }
  }

  seeds.forEach(open)
  return {
    // Not before `onReady`: otherwise the first node to reconnect would report an outage that is reported again later (N6).
    get isUp() {
      return wasUp && !missed && allAreUp()
    },
    get breaker() {
      return breaker
    },
    send: (name, args, onReply, onError) => void route(name, args).then(onReply, onError),
    loadScript: (source) => members.forEach(({ node }) => node.loadScript(source)),
    probe: async () => void (await Promise.all(connected().map(({ node }) => node.probe()))),
    drop: () => members.forEach(({ node }) => node.drop()),
    masters: () => (map?.masters ?? []).flatMap((address) => memberAt(address)?.node ?? []),
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      for (const member of members.values()) shut(member)
      await Promise.all(closings)
    },
  }
}
