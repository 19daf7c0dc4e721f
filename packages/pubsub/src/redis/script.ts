import { createHash } from 'node:crypto'
import { isUnknownScript } from './classify-redis-error.ts'
import type { RedisScript, ScriptReply } from './link-contract.ts'

/** Sends one command over `pub`. */
export type Send = (name: string, args: readonly (string | number)[]) => Promise<ScriptReply>

/**
 * Makes a script out of its source. Redis is taught it at each connect, before anything else is sent, so runs are
 * EVALSHA and stay in order; only after SCRIPT FLUSH is one sent again as EVAL, after those that were under way.
 * Every run passes through here: the place where several of one turn of the event loop could become one command.
 */
export function createScript(source: string, send: Send): RedisScript {
  const sha = createHash('sha1').update(source).digest('hex')
  return {
    run: async (keys, args) => {
      const rest = [keys.length, ...keys, ...args]
      try {
        return await send('EVALSHA', [sha, ...rest])
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        return send('EVAL', [source, ...rest])
      }
    },
  }
}
