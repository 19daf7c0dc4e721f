import { RealtimeError, type JsonValue } from '@tutti/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StateHandle } from '@tutti/client'
import { manualClock } from './manual-clock.ts'
import { ModelServer, type ModelLink } from './model-server.ts'
import { settled, startClient, type TestClient } from './setup-client.ts'

// Random interleavings of local changes, deliveries in both directions, refusals, lost connections and writes of others.

type Step =
  | { do: 'increment' | 'update' | 'set' | 'patch' | 'remove'; who: number; amount: number }
  | { do: 'up' | 'down' | 'cut' | 'switch'; who: number }
  | { do: 'refuse' | 'fail' | 'foreign' | 'repair'; who: number }
  | { do: 'time'; ms: number }

const who = fc.nat(1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('increment' as const, 'update' as const), who, amount: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('set' as const, 'patch' as const, 'remove' as const), who, amount: fc.nat(9) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('up' as const, 'down' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'switch' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('refuse' as const, 'fail' as const, 'foreign' as const, 'repair' as const), who }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.nat(2_000) }) },
)

interface Actor extends TestClient {
  count: StateHandle<number, number>
  doc: StateHandle<JsonValue>
  link(): ModelLink | undefined
  on: boolean
}

const CODES_FOR_GOOD = ['INVALID_VALUE', 'INTERNAL'] as const

async function play(steps: Step[]): Promise<void> {
  const server = new ModelServer()
  const clock = manualClock()
  const added: Promise<number>[] = []
  const refusedChanges: Promise<unknown>[] = []
  let refusals = 0
  let failures = 0
  let refused = 0
  server.judge = ({ name }) => {
    if (!/set|remove|increment|patch/.test(name)) return undefined
    if (failures > 0) {
      failures--
      return new RealtimeError('UNAVAILABLE')
    }
    if (refusals === 0) return undefined
    refusals--
    return new RealtimeError(CODES_FOR_GOOD[refused++ % 2] ?? 'INTERNAL')
  }

  const actors = [0, 1].map((): Actor => {
    const started = startClient({}, server, clock)
    const count = started.client.state('count', { default: 0 })
    const doc = started.client.state<JsonValue>('doc')
    let last = -1
    for (const handle of [count, doc]) {
      last = -1
      let before = last
      handle.subscribe(({ version = -1 }) => {
        expect(version, 'S3: versions never go back').toBeGreaterThanOrEqual(before)
        before = version
      })
    }
    const link = () => server.openLinks.find(({ handshake }) => handshake['clientId'] === started.client.clientId)
    return { ...started, count, doc, link, on: true }
  })

  /** The effect of a change on the counter: none if it is refused. */
  const add = (change: Promise<void>, amount: number): void => {
    added.push(
      change.then(
        () => amount,
        (error: unknown) => {
          expect(CODES_FOR_GOOD).toContain(error instanceof RealtimeError && error.code)
          return 0
        },
      ),
    )
  }

  for (const now of steps) {
    if (now.do === 'time') {
      clock.advance(now.ms)
      await settled()
      continue
    }
    const actor = actors[now.who]
    if (!actor) continue
    const link = actor.link()
    switch (now.do) {
      case 'increment':
        add(actor.count.increment(now.amount), now.amount)
        break
      case 'update':
        add(
          actor.count.update((value) => value + now.amount),
          now.amount,
        )
        break
      case 'set':
        refusedChanges.push(actor.doc.set({ set: now.amount }))
        break
      case 'patch':
        refusedChanges.push(actor.doc.patch({ [`by${now.who}`]: now.amount, nested: { [now.amount]: now.who } }))
        break
      case 'remove':
        refusedChanges.push(actor.doc.remove())
        break
      case 'up':
        if (link) server.deliverUp(link)
        break
      case 'down':
        if (link) server.deliverDown(link)
        break
      case 'cut':
        link?.cut()
        break
      case 'switch':
        actor.on = !actor.on
        if (actor.on) actor.client.connection.connect()
        else actor.client.connection.disconnect()
        break
      case 'refuse':
        refusals++
        break
      case 'fail':
        failures++
        break
      case 'foreign':
        server.write('doc', { foreign: now.who })
        break
      case 'repair':
        link?.notify({ name: 'storage:updated', payload: { ...server.entry('doc'), reset: true } })
        break
    }
    await settled()
  }

  for (const actor of actors) actor.client.connection.connect()
  for (let round = 0; round < 40; round++) {
    await server.flush()
    clock.advance(3_000)
  }
  await server.flush()
  const sum = (await Promise.all(added)).reduce((total, amount) => total + amount, 0)
  expect(server.value('count') ?? 0, 'S12: each effect once').toBe(sum)
  await Promise.allSettled(refusedChanges)
  for (const { count, doc, client } of actors) {
    expect(count.current).toMatchObject({ value: sum, pending: false, version: server.entry('count').version })
    expect(doc.current).toMatchObject({ pending: false, version: server.entry('doc').version })
    expect(doc.current.value).toEqual(server.value('doc'))
    await client.close()
  }
  expect(clock.waiting, 'no timer is left').toBe(0)
}

test('[S4] [S12] [S13] clients converge under random orders; changes apply once', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), play), { numRuns: Number(process.env['RUNS'] ?? 150) })
})
