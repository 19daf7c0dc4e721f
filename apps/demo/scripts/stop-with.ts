/** Prints the reason and ends the script. */
export function stopWith(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
