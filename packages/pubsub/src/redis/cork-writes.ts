import type { Redis } from 'ioredis'
import type { EndOfTurn } from './end-of-turn.ts'

/**
 * Returns the function to call before each command. It corks the client's stream until the end of the turn, so that all
 * commands of a turn are one system call. ioredis has no option for that. Only this file accesses the client's stream; if the
 * stream cannot be corked, each command is written at once, as ioredis does by default.
 *
 * The corked stream is the one that is uncorked, not the client's current stream: bytes of a lost connection are never sent on
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
