import type { RealtimeClient, StateHandle } from '@tutti/client'
import type { Effect, SeededRandom } from '@tutti/test-kit'

/** Keys that are changed continuously, by kind of change. */
const BUSY = ['counter:1', 'counter:2', 'value:1', 'value:2', 'value:3', 'large:1', 'doc:1', 'doc:2', 'guarded:1', 'guarded:2']

/** Keys that are changed so rarely that no later change conceals one that a client missed. */
const QUIET = Array.from({ length: 60 }, (_, n) => `quiet:${n}`)

/** One in this number of changes is of a quiet key. */
const QUIET_ONE_IN = 8

/** Every key of a schedule. */
export const KEYS: readonly string[] = [...BUSY, ...QUIET]

/** One change by the application. `counts`: the added amount, if the key is a sum. */
export interface Call {
  readonly key: string
  readonly promise: Promise<void>
  readonly counts?: Effect
}

/** Makes changes of one client on its handles. */
export interface Workload {
  readonly handles: readonly StateHandle<unknown>[]
  next(): Call
}

/** Longer than values that are included in a notification. */
const LARGE = 'x'.repeat(9_000)

/** One client's share of the load; `name` makes its values unique. */
export function createWorkload(client: RealtimeClient, name: string, random: SeededRandom): Workload {
  let count = 0
  const handles = new Map(KEYS.map((key) => [key, client.state<unknown>(key)]))
  const careful = client.state<unknown>('value:3', { onlyIfUnchanged: true })

  const change = (key: string): Call => {
    const handle = handles.get(key)
    if (handle === undefined) throw new Error(`There is no key ${key}.`)
    count += 1
    const [kind] = key.split(':')
    const tag = `${name}/${count}`
    switch (kind) {
      case 'counter': {
        const by = 1 + random.below(9)
        return { key, promise: handle.increment(by), counts: { op: 'increment', by } }
      }
      case 'guarded': {
        // A function that reads and adds: only the condition of its write prevents lost updates.
        const add = (value: unknown): number => (typeof value === 'number' ? value : 0) + 1
        return { key, promise: handle.update(add), counts: { op: 'increment', by: 1 } }
      }
      case 'doc':
        return { key, promise: handle.patch({ [name]: random.below(20) === 0 ? null : { at: count, by: [tag] } }) }
      case 'large':
        return { key, promise: handle.set(`${tag}${LARGE}`) }
      default:
        if (random.below(8) === 0) return { key, promise: handle.remove() }
        return { key, promise: (key === 'value:3' && random.below(2) === 0 ? careful : handle).set(tag) }
    }
  }

  return {
    handles: [...handles.values()],
    next: () => change(random.pick(random.below(QUIET_ONE_IN) === 0 ? QUIET : BUSY)),
  }
}
