/** The only entry. */
interface Entry<Key, Value> {
  readonly key: Key
  readonly value: Value
}

/** The part of a `Map` that others use. */
type MapPart<Key, Value> = Pick<Map<Key, Value>, 'size' | 'get' | 'has' | 'delete' | 'clear' | 'keys' | 'values' | 'entries'>

/**
 * A map that has no entry or one in most connections. The first one is an object, which takes a third of the memory of a
 * `Map`, and nothing while there is none. With a second one it becomes a `Map`.
 */
export class SmallMap<Key, Value> implements MapPart<Key, Value>, Iterable<[Key, Value]> {
  private content: Entry<Key, Value> | Map<Key, Value> | undefined

  constructor(entries: Iterable<[Key, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    const { content } = this
    return content instanceof Map ? content.size : content === undefined ? 0 : 1
  }

  get(key: Key): Value | undefined {
    const { content } = this
    if (content instanceof Map) return content.get(key)
    return content?.key === key ? content.value : undefined
  }

  has(key: Key): boolean {
    const { content } = this
    return content instanceof Map ? content.has(key) : content?.key === key
  }

  set(key: Key, value: Value): this {
    const { content } = this
    if (content instanceof Map) content.set(key, value)
    else
      this.content =
        content === undefined || content.key === key
          ? { key, value }
          : new Map([
              [content.key, content.value],
              [key, value],
            ])
    return this
  }

  delete(key: Key): boolean {
    const { content } = this
    if (content instanceof Map) return content.delete(key)
    if (content?.key !== key) return false
    this.content = undefined
    return true
  }

  clear(): void {
    this.content = undefined
  }

  forEach(run: (value: Value, key: Key) => void): void {
    const { content } = this
    if (content instanceof Map) content.forEach(run)
    else if (content !== undefined) run(content.value, content.key)
  }

  keys(): MapIterator<Key> {
    return this.asMap().keys()
  }

  values(): MapIterator<Value> {
    return this.asMap().values()
  }

  entries(): MapIterator<[Key, Value]> {
    return this.asMap().entries()
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries()
  }

  private asMap(): Map<Key, Value> {
    const { content } = this
    return content instanceof Map ? content : new Map(content && [[content.key, content.value]])
  }
}
