import type { Awareness } from 'y-protocols/awareness'
import { hueOf } from '../realtime/user-colour.ts'

/** What this page shows of its user. */
export const ownCursor = (name: string, user: string): { name: string; hue: number } => ({ name, hue: hueOf(user) })

/** Longest name beside a cursor, UTF-16 units. */
const MAX_NAME_LENGTH = 32

/**
 * The cursors of others with colours of this page. Other clients may send anything, and the editor copies colours into styles: only a
 * name and a hue are taken from them.
 */
export function shownCursors(awareness: Awareness): Awareness {
  const getStates = (): Map<number, Record<string, unknown>> =>
    new Map([...awareness.getStates()].map(([client, state]) => [client, { cursor: state['cursor'], user: userOf(state['user']) }]))
  return Object.create(awareness, { getStates: { value: getStates } }) as Awareness
}

function userOf(user: unknown): { name: string; color: string; colorLight: string } {
  const { name, hue } = { name: undefined, hue: undefined, ...(typeof user === 'object' ? user : undefined) } as Record<string, unknown>
  const angle = typeof hue === 'number' ? hue : 0
  return {
    name: typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH) : 'Guest',
    color: `light-dark(oklch(0.5 0.13 ${angle}), oklch(0.8 0.1 ${angle}))`,
    colorLight: `light-dark(oklch(0.5 0.13 ${angle} / 0.2), oklch(0.8 0.1 ${angle} / 0.3))`,
  }
}
