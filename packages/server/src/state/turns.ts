/**
 * Lets things happen one after another for one owner: a connection's subscribe and unsubscribe messages must not
 * overtake each other while the store is asked.
 */
export class Turns {
  private readonly last = new WeakMap<object, Promise<void>>()

  /** Waits until the owner's earlier turns are over; the turn lasts until the returned function is called. */
  async take(owner: object): Promise<() => void> {
    const earlier = this.last.get(owner)
    let release = (): void => {}
    this.last.set(
      owner,
      new Promise((resolve) => {
        release = resolve
      }),
    )
    await earlier
    return release
  }
}
