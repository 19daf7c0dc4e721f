import { createId } from './shared-state.ts'
import { readText, writeText } from './stored-text.ts'

const STORAGE_KEY = 'tutti-guest'

/** The credentials of a visitor without a sign-in: the same in all windows of a browser. */
export function guestAuth(): { guest: string } {
  const guest = readText(STORAGE_KEY) ?? createId()
  writeText(STORAGE_KEY, guest)
  return { guest }
}

/**
 * The id of a guest as a user. No name contains a `:`, so no sign-in can produce it, and `user:{id}:*` belongs to no guest. It
 * proves nothing: a client may send any `guest`, and gets the rights that every guest has.
 */
export const guestIdOf = ({ guest }: Readonly<Record<string, unknown>>): string =>
  typeof guest === 'string' && /^[a-z\d]{8,32}$/.test(guest) ? `guest:${guest}` : 'guest:'
