import { createHash } from 'node:crypto'
import { isUnknownScript } from './errors.ts'
import type { ScriptReply } from './link-contract.ts'

/** Sends one command over `pub`. */
export type Send = (name: string, args: readonly (string | number)[]) => Promise<ScriptReply>

/** A script as Redis knows it. */
export interface SentScript {
  readonly source: string
  readonly sha: string
}

/** Makes a script out of its source. */
export const createScript = (source: string): SentScript => ({ source, sha: createHash('sha1').update(source).digest('hex') })

/**
 * Runs a script. Redis is taught it at each connect, before anything else is sent, so runs are EVALSHA and stay in order; only
 * after SCRIPT FLUSH is one sent again as EVAL, after those that were under way. `args` begin with the number of keys.
 */
export async function sendScript({ source, sha }: SentScript, send: Send, args: readonly (string | number)[]): Promise<ScriptReply> {
  try {
    return await send('EVALSHA', [sha, ...args])
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    return send('EVAL', [source, ...args])
  }
}
