// Texts that this browser stores. If it refuses storage, they last as long as the page.

/** A stored text. */
export function readText(storageKey: string): string | undefined {
  try {
    return localStorage.getItem(storageKey) ?? undefined
  } catch {
    return undefined
  }
}

/** Stores a text. */
export function writeText(storageKey: string, value: string): void {
  try {
    localStorage.setItem(storageKey, value)
  } catch {
    // Kept in the page only.
  }
}
