import { eventually } from '@tutti/test-kit'

/** How long and how often something is searched for. */
export interface SearchTimes {
  timeoutMs: number
  everyMs: number
}

/** Repeats a search until it finds nothing, and returns what the last one found. Throws if no search succeeded. */
export async function remaining(find: () => Promise<string[]>, times: SearchTimes): Promise<string[]> {
  let found: string[] | undefined
  try {
    await eventually(async () => {
      found = await find()
      if (found.length > 0) throw new Error(found[0])
    }, times)
  } catch (error) {
    if (found === undefined) throw error
  }
  return found ?? []
}
