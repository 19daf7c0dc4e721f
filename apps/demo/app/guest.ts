import { readText, writeText } from './stored-text.ts'

const STORAGE_KEY = 'tutti-guest'

let chosen: string | undefined

/** The credentials of a visitor without a sign-in: the same in all windows of a browser, or in this page only without storage. */
export function guestAuth(): { guest: string } {
  chosen ??= readText(STORAGE_KEY) ?? createId()
  writeText(STORAGE_KEY, chosen)
  return { guest: chosen }
}

/**
 * The id of a guest as a user. No name contains a `:`, so no sign-in can produce it, and `user:{id}:*` belongs to no guest. It
 * proves nothing: a client may send any `guest`, and gets the rights that every guest has.
 */
export const guestIdOf = ({ guest }: Readonly<Record<string, unknown>>): string =>
  typeof guest === 'string' && /^[a-z\d]{8,32}$/.test(guest) ? `guest:${guest}` : 'guest:'

/** Whether a user is a guest. */
export const isGuest = (user: string): boolean => user.startsWith('guest:')

/** A unique id; `crypto.randomUUID` would need HTTPS or localhost. */
const createId = (): string => Date.now().toString(36) + Math.random().toString(36).slice(2, 10).padEnd(8, '0')
