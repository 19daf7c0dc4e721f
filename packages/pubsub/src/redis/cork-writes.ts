import type { Redis } from 'ioredis'
import type { EndOfTurn } from './end-of-turn.ts'

/**
 * The function to call before each command. It corks the client's stream until the end of the turn, so that all commands of a turn
 * are one system call. ioredis has no option for that: this file alone uses the stream that it writes to, and where that is none
 * that can be corked, each command is written at once, as ioredis does by itself.
 *
 * The stream that was corked is uncorked, not the one that the client has by then: bytes of a lost connection are never sent on
 * the next one (N5).
 */
export function corkWrites(client: Redis, endOfTurn: EndOfTurn): () => void {
  let corked: Corkable | undefined
  return () => {
    const stream: unknown = client.stream
    if (stream === corked || !isCorkable(stream)) return
    corked = stream
    stream.cork()
    endOfTurn.add(() => {
      if (corked === stream) corked = undefined
      stream.uncork()
    })
  }
}

interface Corkable {
  cork(): void
  uncork(): void
}

const isCorkable = (stream: unknown): stream is Corkable =>
  typeof stream === 'object' &&
  stream !== null &&
  'cork' in stream &&
  typeof stream.cork === 'function' &&
  'uncork' in stream &&
  typeof stream.uncork === 'function'
