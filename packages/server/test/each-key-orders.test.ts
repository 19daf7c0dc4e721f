import type { Entry, EntryPage, Reply } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import type { Decision } from '../src/authorization/authorize.ts'
import { createAskingModel } from './asking-model.ts'
import type { ModelConnection } from './model-cluster.ts'
import { settled } from './state-model.ts'

const KEYS = ['p:a', 'p:b', 'p:c:1', 'p:c:2', 'p:d', 'p:e']
const USERS = ['ann', 'bob', 'cyd']

type Model = ReturnType<typeof createAskingModel>

/** The read rights, and an application that answers at once or later, permanently or temporarily, depending on the key. */
class Rights {
  readonly held = new Set<string>()
  /** Keys that a client may read for the whole run. */
  readonly steady = new Set<string>()
  readonly waiting: (() => void)[] = []

  answer(user: string, key: string): Decision | Promise<Decision> {
    const allow = this.may(user, key)
    const kind = KEYS.indexOf(key) % 3
    const answer = { allow, forMs: allow && kind < 2 ? 1e9 : 0 }
    if (kind === 0) return answer
    return new Promise((resolve) => this.waiting.push(() => resolve(answer)))
  }

  /** Of all that is below the prefix. */
  ofPrefix(user: string): Decision {
    return KEYS.every((key) => this.may(user, key)) ? { allow: true, forMs: 1e9 } : 'each'
  }

  may(user: string, key: string): boolean {
    return this.held.has(`${user} ${key}`)
  }

  take(user: string, key: string): void {
    this.held.delete(`${user} ${key}`)
    this.steady.delete(`${user} ${key}`)
  }
}

/** A client that follows the prefix, and reports data that it must not receive. */
class Follower {
  readonly connection: ModelConnection
  readonly shown = new Map<string, number>()
  readonly faults: string[] = []
  private readonly model: Model
  private readonly rights: Rights
  private readonly writes: string[] = []
  private isAllowed = true
  private isComplete = false
  /** What it wrote, perhaps while it watched nothing. */
  private readonly own = new Map<string, number>()

  constructor(model: Model, id: string, rights: Rights) {
    this.model = model
    this.rights = rights
    this.connection = model.connect(id)
    const { received } = this.connection
    // Looked at when it is sent, for rights may be taken away right after.
    received.push = (...notices) => {
      for (const { name, payload } of notices) this.take(name, payload)
      return Array.prototype.push.apply(received, notices)
    }
    this.ask()
  }

  ask(after?: string): void {
    this.isComplete = false
    this.isAllowed = true
    this.model.subscribe(this.connection, { prefix: 'p:', after, versions: Object.fromEntries(this.shown) })
  }

  askAgain(): void {
    if (this.isComplete || !this.isAllowed) this.ask()
  }

  write(key: string, value: number): void {
    if (this.writes.length > 0) return
    this.writes.push(key)
    this.model.set(this.connection, key, value)
  }

  private take(name: string, payload: unknown): void {
    if (name === 'server:revoked') this.isAllowed = false
    else if (name === 'storage:updated') this.show(payload as Entry, 'change')
    else this.takeReply(payload as Reply<Partial<EntryPage & Entry>>)
  }

  private takeReply(reply: Reply<Partial<EntryPage & Entry>>): void {
    if (!reply.ok) throw new Error(JSON.stringify(reply))
    const { entries, after, version } = reply
    for (const entry of entries ?? []) this.show(entry, 'page')
    if (entries !== undefined) {
      this.isAllowed = true
      this.isComplete = after === undefined
    }
    if (after !== undefined) setImmediate(() => this.ask(after))
    const own = version === undefined ? undefined : this.writes.shift()
    if (own === undefined || version === undefined) return
    this.own.set(own, version)
    this.advance(own, version, 'reply')
  }

  private show({ key, version }: Entry, by: string): void {
    if (!this.isAllowed && by === 'change') this.faults.push(`${key} after the end`)
    if (!this.rights.may(this.connection.id, key)) this.faults.push(`${key} ${version} by ${by} without a right`)
    this.advance(key, version, by)
  }

  private advance(key: string, version: number, by: string): void {
    const before = this.shown.get(key) ?? 0
    // An entry not known in time for the page is read for the client alone, and may have been sent in the meantime.
    if (version < before && this.own.get(key) !== before) this.faults.push(`${key} ${version} by ${by} after ${before}`)
    if (version > before) this.shown.set(key, version)
  }
}

test.each([
  { what: 'small values', largeOneIn: 0 },
  { what: 'large values', largeOneIn: 3 },
])('[X2] [S4] in any order clients receive only readable entries, and all: $what', async ({ largeOneIn }) => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed)
    const rights = new Rights()
    for (const user of USERS) for (const key of KEYS) if (random.below(4) > 0 || user === 'bob') rights.held.add(`${user} ${key}`)
    for (const right of rights.held) rights.steady.add(right)
    const model = createAskingModel(
      (user, key) => rights.answer(user, key),
      (user) => rights.ofPrefix(user),
    )
    model.store.pageSize = 1 + random.below(4)
    for (const key of KEYS) if (random.below(2) === 0) model.store.commit(key, { value: 'before' })
    const followers = USERS.map((user) => new Follower(model, user, rights))
    const all = async (): Promise<void> => {
      do {
        await model.flush()
        for (const answer of rights.waiting.splice(0)) answer()
        await settled()
      } while (rights.waiting.length > 0 || model.store.answerNext() || model.store.announceNext())
    }
    const end = async (): Promise<void> => {
      for (let round = 0; round < 12; round += 1) await all()
    }
    for (let step = 0; step < 70; step += 1) {
      const [key, user, follower] = [random.pick(KEYS), random.pick(USERS), random.pick(followers)]
      const commit = () => {
        const change = random.below(4) === 0 ? ({ removed: true } as const) : { value: step }
        model.store.commit(key, change, { large: largeOneIn > 0 && random.below(largeOneIn) === 0 })
      }
      const take = () => {
        if (random.below(2) === 0) return
        rights.take(user, key)
        void model.revocations.revoke({ user, pattern: random.below(8) === 0 ? 'p:*' : key })
      }
      const steps = [
        commit,
        commit,
        commit,
        () => void model.store.announceNext(),
        () => void model.store.announceNext(),
        () => void model.store.answerNext((count) => random.below(count)),
        () => rights.waiting.splice(random.below(Math.max(1, rights.waiting.length)), 1)[0]?.(),
        () => rights.waiting.splice(random.below(Math.max(1, rights.waiting.length)), 1)[0]?.(),
        take,
        () => void (random.below(4) === 0 && rights.held.add(`${user} ${key}`)),
        () => follower.write(key, step),
        () => void (random.below(4) === 0 && follower.askAgain()),
      ]
      random.pick(steps)()
      if (random.below(3) === 0) await settled()
    }
    await end()
    for (const follower of followers) follower.askAgain()
    await end()
    const check = (isRight: (right: string) => boolean): void => {
      for (const { connection, shown, faults } of followers) {
        const context = `seed ${seed}, ${connection.id}: ${JSON.stringify(connection.received)}`
        expect(faults, context).toEqual([])
        for (const key of KEYS.filter((one) => isRight(`${connection.id} ${one}`))) {
          const entry = model.store.entries.get(key)
          // An entry removed before it was ever sent need not be sent.
          if (entry !== undefined && !('removed' in entry && !shown.has(key)))
            expect(shown.get(key), `${key}, ${context}`).toBe(entry.version)
        }
      }
    }
    check((right) => rights.steady.has(right))
    for (const key of KEYS) model.store.commit(key, { value: 'last' })
    await end()
    check((right) => rights.held.has(right))
    expect(model.errors).toEqual([])
  }
})
