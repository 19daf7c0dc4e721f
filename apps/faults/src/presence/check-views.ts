import type { PresenceView } from './presence-history.ts'

/** Where views differ from the living connections, in words; none where every observer shows exactly these. */
export function differencesOf(views: readonly PresenceView[]): string[] {
  const differences: string[] = []
  for (const [room, observers] of Map.groupBy(views, (view) => view.room)) {
    const living = new Set(observers.flatMap(({ ownId }) => ownId ?? []))
    for (const { client, ownId, status, ids } of observers) {
      const shown = new Set(ids)
      const missing = without(living, shown)
      const ghosts = without(shown, living)
      if (ownId === undefined) differences.push(`${client} in ${room} is no member: ${status}`)
      else if (missing.length > 0 || ghosts.length > 0)
        differences.push(`${client} in ${room} does not show ${list(missing)} and shows ${list(ghosts)} that are gone`)
    }
  }
  return differences
}

const without = (ids: ReadonlySet<string>, others: ReadonlySet<string>): string[] => [...ids].filter((id) => !others.has(id))
const list = (ids: readonly string[]): string => `${ids.length} [${ids.slice(0, 3).join(', ')}]`
