/** Names that are compared one by one. More are looked up. */
const FEW = 16

/**
 * A set of names that is small in most connections: few names are an array, which takes a third of the memory of a `Set`.
 * The names are in the order in which they were added.
 */
export class NameSet implements Iterable<string> {
  private names: string[] | Set<string>

  /** The names must differ from each other. The array belongs to the set. */
  constructor(names: string[]) {
    this.names = names.length > FEW ? new Set(names) : names
  }

  get size(): number {
    return Array.isArray(this.names) ? this.names.length : this.names.size
  }

  has(name: string): boolean {
    return Array.isArray(this.names) ? this.names.includes(name) : this.names.has(name)
  }

  /** The string that is stored for the name, so that another collection can share it. Otherwise the string that was passed. */
  storedOf(name: string): string {
    return (Array.isArray(this.names) ? this.names[this.names.indexOf(name)] : undefined) ?? name
  }

  add(name: string): void {
    if (!Array.isArray(this.names)) this.names.add(name)
    else if (!this.names.includes(name)) {
      if (this.names.length === FEW) this.names = new Set(this.names).add(name)
      else this.names.push(name)
    }
  }

  /** Returns whether the name was in the set. */
  delete(name: string): boolean {
    if (!Array.isArray(this.names)) return this.names.delete(name)
    const index = this.names.indexOf(name)
    if (index === -1) return false
    this.names.splice(index, 1)
    return true
  }

  [Symbol.iterator](): Iterator<string> {
    return this.names[Symbol.iterator]()
  }
}
