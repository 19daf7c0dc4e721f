import type { RedisLink, RedisScript, ScriptReply } from '@tutti/pubsub/redis'
import type { StoreSettings } from '../store-options.ts'
import type { IndexClaims } from './index-claims.ts'
import type { KeyNames } from './key-names.ts'
import { SCRIPT_FUNCTIONS, SCRIPT_SETUP } from './script-head.ts'

/** One run of a script of the store. */
export class StoreRun {
  readonly key: string
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  /** Milliseconds since 1970 on Redis' clock. */
  readonly deadline: number

  constructor(key: string, keys: readonly string[], args: readonly (string | number)[], deadline: number) {
    this.key = key
    this.keys = keys
    this.args = args
    this.deadline = deadline
  }
}

/** A script of the store. If it has to create an entry, the name is added to the index first. */
export type StoreScript = (run: StoreRun, onReply: (reply: ScriptReply) => void, onError: (error: unknown) => void) => void

/** Dependencies of the scripts. */
export interface StoreScriptsOptions {
  link: RedisLink
  instanceId: string
  names: KeyNames
  claims: IndexClaims
  settings: StoreSettings
}

/**
 * Returns a function that creates scripts from their Lua, with the parts that are the same in each run. `shortcut`: see
 * `ScriptSource`.
 */
export function createStoreScripts({ link, instanceId, names, claims, settings }: StoreScriptsOptions) {
  const scriptOf = (run: string, shortcut: string, named: string): RedisScript =>
    link.script({
      setup: `${constants(named)}${SCRIPT_SETUP}`,
      shortcut,
      functions: SCRIPT_FUNCTIONS,
      run,
      sharedKeys: claims.isRemote ? {} : { INDEX: names.index },
      shared: { CHANNEL: `${link.prefix}:${names.channel}`, ORIGIN: `{"origin":${JSON.stringify(instanceId)},"event":"` },
    })
  const constants = (named: string): string => `
local NAMED, KEY_START = '${named}', ${Buffer.byteLength(names.valuePrefix) + 1}
local TOMBSTONE_MS, MEMORY_MS = ${settings.tombstoneMs}, ${settings.mutationMemoryMs}
${claims.isRemote ? 'local INDEX' : ''}`

  return (source: string, shortcut = ''): StoreScript => {
    if (!claims.isRemote) {
      const script = scriptOf(source, shortcut, 'yes')
      return ({ keys, args }, onReply, onError) => script.send(keys, args, onReply, onError)
    }
    const [script, afterClaim] = [scriptOf(source, shortcut, ''), scriptOf(source, shortcut, 'yes')]
    return ({ key, keys, args, deadline }, onReply, onError) => {
      const replied = (reply: ScriptReply): void => {
        if (!Array.isArray(reply) || reply[0] !== 'claim') return onReply(reply)
        claims.claim(key, deadline).then(() => afterClaim.send(keys, args, onReply, onError), onError)
      }
      script.send(keys, args, replied, onError)
    }
  }
}
