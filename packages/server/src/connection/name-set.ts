/** Names that are compared one by one. More are looked up. */
const FEW = 16

/**
 * A set of names that is small in most connections: few names are an array, which takes a third of the memory of a `Set`. Many
 * names become a `Set` with the first lookup. The names are in the order in which they were added.
 */
export class NameSet implements Iterable<string> {
  private names: string[] | Set<string>

  /** The names must differ from each other. The array belongs to the set. */
  constructor(names: string[]) {
    this.names = names
  }

  get size(): number {
    return Array.isArray(this.names) ? this.names.length : this.names.size
  }

  has(name: string): boolean {
    const names = this.forLookup()
    return Array.isArray(names) ? names.includes(name) : names.has(name)
  }

  add(name: string): void {
    const names = this.forLookup()
    if (!Array.isArray(names)) names.add(name)
    else if (!names.includes(name)) names.push(name)
  }

  /** Returns whether the name was in the set. */
  delete(name: string): boolean {
    const names = this.forLookup()
    if (!Array.isArray(names)) return names.delete(name)
    const index = names.indexOf(name)
    if (index === -1) return false
    names.splice(index, 1)
    return true
  }

  private forLookup(): string[] | Set<string> {
    if (Array.isArray(this.names) && this.names.length > FEW) this.names = new Set(this.names)
    return this.names
  }

  [Symbol.iterator](): Iterator<string> {
    return this.names[Symbol.iterator]()
  }
}
