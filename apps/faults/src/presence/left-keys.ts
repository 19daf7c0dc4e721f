import { sendToRedis, type TestRedis } from '@tutti/test-kit'

const LEASES = '{tutti$instances:all}$leases'
const ENDED = '{tutti$instances:all}$ended'

/** What Redis contains of instances that are dead, in words. `members`: how many members are connected. */
export async function leftKeys(nodes: readonly TestRedis[], instances: number, members: number): Promise<string[]> {
  const keys = await Promise.all(
    nodes.map(async (node) => textsOf(await sendToRedis(node, 'KEYS', '{tutti$*')).map((key) => ({ node, key }))),
  )
  const all = new Map(keys.flat().map(({ node, key }) => [key, node]))
  const read = async (key: string, ...command: string[]): Promise<string[]> => {
    const node = all.get(key)
    return node === undefined ? [] : textsOf(await sendToRedis(node, ...command))
  }
  const live = new Set(await read(LEASES, 'ZRANGE', LEASES, '0', '-1'))
  const left = (await read(ENDED, 'ZRANGE', ENDED, '0', '-1')).map((lease) => `the lease ${lease} has ended and is not swept`)
  if (live.size !== instances) left.push(`${live.size} leases for ${instances} instances`)
  let records = 0
  for (const key of all.keys()) {
    const [, lease = ''] = /^\{tutti\$instance:(.*)\}\$holds$/.exec(key) ?? []
    if (lease !== '' && !live.has(lease)) left.push(key)
    if (!/^\{tutti\$room:.*\}\$members$/.test(key)) continue
    for (const record of await read(key, 'HVALS', key)) {
      records += 1
      const owner = record.slice(0, record.indexOf(' '))
      if (!live.has(owner)) left.push(`${key}: a member of ${owner}`)
    }
  }
  if (records !== members) left.push(`${records} members are stored, ${members} are connected`)
  return left
}

const textsOf = (reply: unknown): string[] => (Array.isArray(reply) ? reply.map(String) : [])
