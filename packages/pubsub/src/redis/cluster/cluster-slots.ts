import { Command } from 'ioredis'
import type { RedisAddress } from '../redis-address.ts'
import type { ScriptReply } from '../link-contract.ts'
import type { CommandArgs } from '../script.ts'

/** The masters of a Cluster, and the master of each slot, as reported by one node. */
export interface ClusterMap {
  readonly masters: readonly RedisAddress[]
  /** The name of the master of each slot, by number; `undefined` for an unassigned slot. */
  readonly owners: readonly (string | undefined)[]
}

/** The name of a node: its address. */
export const nodeName = ({ host, port }: RedisAddress): string => `${host}:${port}`

/** Parses the reply of CLUSTER SLOTS. `reporter`: the address of the replying node, which may not know its own address. */
export function parseClusterSlots(reply: ScriptReply, reporter: RedisAddress): ClusterMap {
  const masters = new Map<string, RedisAddress>()
  const owners: (string | undefined)[] = []
  for (const range of listOf(reply)) {
    const [from, to, ...addresses] = listOf(range)
    const [master] = addresses.flatMap((address) => addressOf(address, reporter))
    if (master === undefined) continue
    masters.set(nodeName(master), master)
    for (let slot = Number(from); slot <= Number(to); slot += 1) owners[slot] = nodeName(master)
  }
  return { masters: [...masters.values()], owners }
}

/**
 * The slot of a command: that of its first key, or for PUBLISH of its channel, so that the messages of a channel keep their
 * order.
 */
export function slotOf(name: string, args: CommandArgs): number | undefined {
  const [channel] = args
  const command = name === 'PUBLISH' && channel !== undefined ? new Command('get', [channel]) : new Command(name.toLowerCase(), [...args])
  const slot: unknown = command.getSlot()
  return typeof slot === 'number' ? slot : undefined
}

const listOf = (reply: ScriptReply | undefined): readonly ScriptReply[] => (Array.isArray(reply) ? reply : [])

function addressOf(reply: ScriptReply, reporter: RedisAddress): RedisAddress[] {
  const [host, port] = listOf(reply)
  if (typeof port !== 'number') return []
  return [{ host: typeof host === 'string' && host !== '' && host !== '?' ? host : reporter.host, port }]
}
