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
    if (Array.isArray(this.names) && this.names.length > FEW) this.names = new Set(this.names)
    return Array.isArray(this.names) ? this.names.includes(name) : this.names.has(name)
  }

  add(name: string): void {
    if (this.has(name)) return
    if (Array.isArray(this.names)) this.names.push(name)
    else this.names.add(name)
  }

  /** Returns whether the name was in the set. */
  delete(name: string): boolean {
    if (!this.has(name)) return false
    if (Array.isArray(this.names)) this.names.splice(this.names.indexOf(name), 1)
    else this.names.delete(name)
    return true
  }

  [Symbol.iterator](): Iterator<string> {
    return this.names[Symbol.iterator]()
  }
}
