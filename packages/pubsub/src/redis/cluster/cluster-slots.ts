import { Command } from 'ioredis'
import type { RedisAddress } from '../redis-address.ts'
import type { ScriptReply } from '../link-contract.ts'

/** Which nodes a Cluster has, and which of them serves a slot, as one node told it. */
export interface ClusterMap {
  readonly masters: readonly RedisAddress[]
  /** All that hear what is published: masters and replicas. */
  readonly nodes: readonly RedisAddress[]
  /** The name of the master of each slot, by its number; a slot that nobody serves is missing. */
  readonly owners: readonly (string | undefined)[]
}

/** How a node is named: by its address. */
export const nodeName = ({ host, port }: RedisAddress): string => `${host}:${port}`

/** Reads the reply of CLUSTER SLOTS. `told`: who gave it, for a node may not know what it is called from outside. */
export function parseClusterSlots(reply: ScriptReply, told: RedisAddress): ClusterMap {
  const masters = new Map<string, RedisAddress>()
  const nodes = new Map<string, RedisAddress>()
  const owners: (string | undefined)[] = []
  for (const range of listOf(reply)) {
    const [from, to, ...addresses] = listOf(range)
    const served = addresses.flatMap((address) => addressOf(address, told))
    for (const node of served) nodes.set(nodeName(node), node)
    const [master] = served
    if (master === undefined) continue
    masters.set(nodeName(master), master)
    for (let slot = Number(from); slot <= Number(to); slot += 1) owners[slot] = nodeName(master)
  }
  return { masters: [...masters.values()], nodes: [...nodes.values()], owners }
}

/** The slot of a command: of its first key, or for PUBLISH of its channel, so that a channel's messages keep their order. */
export function slotOf(name: string, args: readonly (string | number)[]): number | undefined {
  const [channel] = args
  const command = name === 'PUBLISH' && channel !== undefined ? new Command('get', [channel]) : new Command(name.toLowerCase(), [...args])
  const slot: unknown = command.getSlot()
  return typeof slot === 'number' ? slot : undefined
}

const listOf = (reply: ScriptReply | undefined): readonly ScriptReply[] => (Array.isArray(reply) ? reply : [])

function addressOf(reply: ScriptReply, told: RedisAddress): RedisAddress[] {
  const [host, port] = listOf(reply)
  if (typeof port !== 'number') return []
  return [{ host: typeof host === 'string' && host !== '' && host !== '?' ? host : told.host, port }]
}
