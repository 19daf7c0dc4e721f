/** A list of a reply; empty for anything else. */
export const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : [])

/** The fields of a row that XRANGE returned, `[id, [field, value, …]]`, and its id. */
export function fieldsOf(row: unknown): { id: string; fields: ReadonlyMap<unknown, string> } {
  const [id, pairs] = listOf(row)
  const list = listOf(pairs)
  const fields = new Map<unknown, string>()
  for (let place = 0; place < list.length; place += 2) fields.set(list[place], String(list[place + 1]))
  return { id: String(id), fields }
}
