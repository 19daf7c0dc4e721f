/** Creates an object and counts the items in all maps and sets that it created for itself, to find leaks. */
export async function countItems<Made>(make: () => Made | Promise<Made>): Promise<{ made: Made; items: () => number }> {
  const kept: { size: number }[] = []
  const { Map: PlainMap, Set: PlainSet } = globalThis
  globalThis.Map = class<Key, Value> extends PlainMap<Key, Value> {
    constructor(entries?: Iterable<readonly [Key, Value]> | null) {
      super(entries)
      kept.push(this)
    }
  } as MapConstructor
  globalThis.Set = class<Item> extends PlainSet<Item> {
    constructor(given?: Iterable<Item> | null) {
      super(given)
      kept.push(this)
    }
  } as SetConstructor
  try {
    return { made: await make(), items: () => kept.reduce((sum, { size }) => sum + size, 0) }
  } finally {
    globalThis.Map = PlainMap
    globalThis.Set = PlainSet
  }
}
