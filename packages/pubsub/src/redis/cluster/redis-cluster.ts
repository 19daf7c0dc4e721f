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
  /** Nodes to begin with, and to come back to when no other is left. */
  seeds: readonly RedisAddress[]
  /** A client that waits to be told to connect. */
  connect: (address: RedisAddress) => Redis
  /** The Cluster's nodes became known, or changed. */
  onMap: (map: ClusterMap) => void
}

interface Member {
  readonly address: RedisAddress
  readonly node: RedisNode
  /** Its first attempt to connect has an outcome. */
  tried: boolean
}

const LOOK_EVERY_MS = 500
const MAX_REDIRECTIONS = 5

/**
 * Commands to a Cluster: one plain connection to each master, so that each keeps the rules of one connection (N5), and
 * losing any of them is a gap (N6): what its master had acknowledged may be gone with it. ioredis' own `Cluster` would
 * queue commands for a node that is not there, send some again, and hold connections of its own beside.
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
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const memberAt = (address: RedisAddress): Member | undefined => members.get(nodeName(address))
  const allAreUp = (): boolean => map?.masters.every((address) => memberAt(address)?.node.isUp === true) === true
  const living = (): Member[] => [...members.values()].filter(({ node }) => node.isUp)

  const open = (address: RedisAddress): void => {
    if (isClosed || memberAt(address) !== undefined) return
    const isMember = (): boolean => memberAt(address) === member
    const node = createRedisNode(connect(address), true, {
      ...options,
      onReady: () => {
        member.tried = true
        if (isMember()) void look()
      },
      onLost: (reason) => {
        member.tried = true
        if (isMember()) lost(reason)
      },
      onBreaker: tellBreaker,
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
    if (living().length === 0) seeds.forEach(open)
    settle()
    void look()
  }

  /** Tells whether it is there, once that is known. */
  const settle = (): void => {
    const [all, up] = [[...members.values()], living()]
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
    // Who has left takes the state of its breaker along.
    tellBreaker()
    // A master that is new may have lost what the one before it had acknowledged.
    missed ||= wasUp && !allAreUp()
    onMap(next)
    settle()
  }

  /** Asks for the map, now and as long as something is missing. */
  const look = (): Promise<void> => (looking ??= askForMap().finally(lookAgain))

  const askForMap = async (): Promise<void> => {
    // Whoever says that the Cluster is down may have been cut off from it, so the others are asked first.
    const asked = living().toSorted((a, b) => Number(a.node.sawClusterDown) - Number(b.node.sawClusterDown))
    for (const { address, node } of asked) {
      try {
        take(parseClusterSlots(await node.ask('CLUSTER', ['SLOTS']), address))
        break
      } catch (error) {
        // Once the map is known another node, or the next refusal of a slot, says what has changed.
        if (map === undefined && !(error instanceof RealtimeError)) onLost(error)
      }
    }
    for (const { node } of living().filter((member) => member.node.sawClusterDown)) {
      const info = await node.ask('CLUSTER', ['INFO']).catch(() => '')
      if (String(info).includes('cluster_state:ok')) await node.probe()
    }
  }

  const lookAgain = (): void => {
    looking = undefined
    if (isClosed) return
    // A node that came while the map was on its way was not asked about again.
    settle()
    const isWell = allAreUp() && !living().some(({ node }) => node.sawClusterDown)
    if (isWell || living().length === 0) return
    timer ??= setTimeout(() => {
      timer = undefined
      void look()
    }, LOOK_EVERY_MS)
  }

  const tellBreaker = (): void => {
    const states = [...members.values()].map(({ node }) => node.breaker)
    const next = states.find((state) => state === 'open') ?? states.find((state) => state === 'probing') ?? 'closed'
    if (next === breaker) return
    breaker = next
    onBreaker(next)
  }

  const route: Send = async (name, args) => {
    const slot = slotOf(name, args)
    let target = slot === undefined ? living()[0] : members.get(owners[slot] ?? '')
    let isAsking = false
    for (let redirections = 0; ; redirections += 1) {
      if (target === undefined) throw new RealtimeError('UNAVAILABLE', { cause })
      try {
        if (isAsking) target.node.ask('ASKING', []).catch(() => {})
        return await promised(target.node.send)(name, args)
      } catch (error) {
        if (target.node.sawClusterDown) void look()
        const redirection = redirectionOf(error)
        if (redirection === undefined || redirections === MAX_REDIRECTIONS) throw error
        const address = { host: redirection.host || target.address.host, port: redirection.port }
        isAsking = redirection.kind === 'ASK'
        if (!isAsking) owners[redirection.slot] = nodeName(address)
        if (!isAsking) void look()
        open(address)
        target = memberAt(address)
      }
    }
  }

  seeds.forEach(open)
  return {
    // Not before `onReady`: whoever came back first would else tell of an absence that is then told once more (N6).
    get isUp() {
      return wasUp && !missed && allAreUp()
    },
    get breaker() {
      return breaker
    },
    send: (name, args, onReply, onError) => void route(name, args).then(onReply, onError),
    loadScript: (source) => members.forEach(({ node }) => node.loadScript(source)),
    probe: async () => void (await Promise.all(living().map(({ node }) => node.probe()))),
    masters: () => (map?.masters ?? []).flatMap((address) => memberAt(address)?.node ?? []),
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      for (const member of members.values()) shut(member)
      await Promise.all(closings)
    },
  }
}
