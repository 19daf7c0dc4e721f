import type { StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'

/** Changes that are buffered for one connection at most; past it, only the newest is. */
const MAX_BUFFERED = 64

/** A change as it is sent to clients, or `undefined` where the value is not in it. */
export function toUpdate(change: StateChange & Pick<StateUpdate, 'reset'>): StateUpdate | undefined {
  const { key, version, base, patch, value, removed, reset } = change
  if (removed === true) return reset === true ? { key, version, removed, reset } : { key, version, removed }
  if (value !== undefined) return reset === true ? { key, version, value, reset } : { key, version, value }
  return patch === undefined || base === undefined ? undefined : { key, version, base, patch }
}

/** Whether a change contains the whole entry, so that no earlier change is needed. */
const isWhole = ({ value, removed }: StateChange): boolean => value !== undefined || removed === true

/** Adds a change. Past the limit a patch can't be applied any more: the change then has no value, so the entry must be read. */
export function pushBounded(buffer: StateChange[], change: StateChange): void {
  const [first] = buffer
  const lacks = first !== undefined && !isWhole(first) && first.patch === undefined
  if (buffer.length < MAX_BUFFERED && !lacks) buffer.push(change)
  else buffer.splice(0, buffer.length, isWhole(change) ? change : { key: change.key, version: change.version })
}
