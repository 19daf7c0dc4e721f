import type { LogPosition } from '@tutti/coordination/logs'
import { withoutKnown } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import { PART_BYTES } from './transfers.ts'

/** What a client has of a document that it opens. */
export interface ClientState {
  /** What it has received. */
  readonly from: LogPosition | undefined
  readonly stateVector: Uint8Array | undefined
}

/** What a client lacks of a document: both, either or nothing, to be applied in this order. */
export interface MissingContent {
  /** More than a part. */
  snapshot?: Uint8Array
  /** At most a part. */
  update?: Uint8Array
}

/** Whether a client has more than this instance has read of the log, or may have: the notifications of an instance can be delayed. */
export const isBehind = ({ position, replica }: LiveDocument, { from, stateVector }: ClientState): boolean =>
  (from !== undefined && (from.epoch > position.epoch || (from.epoch === position.epoch && from.offset > position.offset))) ||
  (stateVector !== undefined && !replica.hasAll(stateVector))

/** What a client lacks: the updates that it missed, where they are known, else what its state vector lacks, else the whole document. */
export function contentFor(live: LiveDocument, { from, stateVector }: ClientState): MissingContent {
  const missed = from && live.since(from)
  if (missed !== undefined) {
    if (from?.offset === live.position.offset) return {}
    // Rows of the database are merged from many updates, of which the client may have some.
    return sized(missed.length > PART_BYTES && stateVector !== undefined ? withoutKnown(missed, stateVector) : missed)
  }
  if (stateVector !== undefined && !live.replica.lacksAll(stateVector)) return sized(live.replica.encodeSince(stateVector))
  return wholeOf(live)
}

const sized = (content: Uint8Array): MissingContent => (content.length <= PART_BYTES ? { update: content } : { snapshot: content })

/** The snapshot that clients share, and the updates after it; a small document is encoded again. */
function wholeOf(live: LiveDocument): MissingContent {
  const { bytes, ...place } = live.snapshot.get(
    (snapshot) => snapshot.bytes.length > PART_BYTES && (live.since(snapshot)?.length ?? Infinity) <= PART_BYTES,
    () => ({ ...live.position, bytes: live.replica.encode() }),
  )
  if (place.offset === live.position.offset) return sized(bytes)
  const update = live.since(place)
  return { snapshot: bytes, ...(update && { update }) }
}
