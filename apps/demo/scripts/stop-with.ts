/** Says why the script can't go on, and ends it. */
export function stopWith(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
