import { RealtimeError } from '@tutti/protocol'

const HASH_TAG = /^[^{}]*\{[^{}]+\}/

/**
 * The name of a key that belongs to a value, always in the value's hash slot: `{<base>:<key>}$<name>`, or `<base>:<key>$<name>`
 * if `base` has a hash tag, which then decides the slot of both. Throws `INVALID_OPTIONS` for braces that are not a hash tag:
 * Redis would put the value and this key into different slots.
 */
export function companionKey(base: string, key: string, name: string): string {
  if (HASH_TAG.test(base)) return `${base}:${key}$${name}`
  if (/[{}]/.test(base)) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'Invalid `base`: braces must form one non-empty hash tag, for example {app}.' })
  }
  return `{${base}:${key}}$${name}`
}
