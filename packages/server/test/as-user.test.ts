import { RealtimeError, type Entry, type ErrorCode, type JsonValue, type RequestName, type Requests } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Credentials, AuthorizeRequest, User, UserRealtime } from '../src/index.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { serve, type PlainClient, type Served } from './serve.ts'

/** How one user takes part: by a client of theirs, or by server code that acts as them. */
interface Way {
  get(key: string): Promise<Entry>
  list(prefix: string, after?: string): Promise<{ entries: readonly Entry[]; after?: string | undefined }>
  set(key: string, value: JsonValue, options?: { ifVersion?: number }): Promise<object>
  remove(key: string): Promise<object>
  increment(key: string, by: number): Promise<object>
  patch(key: string, patch: Record<string, JsonValue>): Promise<object>
  publish(channel: string, data: JsonValue): Promise<object | void>
  /** Follows a key or a pattern: what was received so far, and why it ended. */
  watch(key: string): Promise<Followed>
  subscribe(pattern: string): Promise<Followed>
}

interface Followed {
  readonly received: unknown[]
  readonly ended: ErrorCode[]
}

const authenticate = ({ token = '' }: Credentials): User => ({ id: token })

/** The options of both instances. Each right may be changed while they run. */
function world(): { rights: Map<string, boolean | 'each' | ErrorCode>; options: Partial<AttachRealtimeOptions> } {
  const rights = new Map<string, boolean | 'each' | ErrorCode>()
  const authorize = ({ user, action, target }: AuthorizeRequest) => {
    const name = Object.values(target).join('')
    const answer = rights.get(`${user?.id} ${action} ${name}`) ?? rights.get(`${user?.id} ${name}`) ?? false
    if (typeof answer === 'string' && answer !== 'each') throw new RealtimeError(answer)
    return answer
  }
  const schema = { state: { 'typed:*': v.number() }, events: { 'typed:*': v.number() } }
  return { rights, options: { authenticate, authorize, schema } }
}

/** The way of a client: a plain one, that sends what is on the wire. */
function byClient(client: PlainClient): Way {
  const send = async <Name extends RequestName>(name: Name, payload: Requests[Name]['payload']): Promise<object> => {
    const reply = await client.send(name, payload)
    if (!reply.ok) throw Object.assign(new RealtimeError(reply.error.code), { entry: reply.error.entry, issues: reply.error.issues })
    const { ok: _ok, ...result } = reply
    return result
  }
  const follow = (isMine: (payload: object) => boolean, notice: string): Followed => ({
    get received() {
      return client.of(notice).filter((payload) => isMine(payload as object))
    },
    get ended() {
      return (client.of('server:revoked') as { target: object; error: { code: ErrorCode } }[])
        .filter(({ target }) => isMine(target))
        .map(({ error }) => error.code)
    },
  })
  const ended = (error: unknown): Followed => ({ received: [], ended: [(error as RealtimeError).code] })
  return {
    get: (key) => send('storage:get', { key }) as Promise<Entry>,
    list: async (prefix, after) => {
      const page = (await send('storage:subscribe', { prefix, after })) as { entries: Entry[]; after?: string }
      await send('storage:unsubscribe', { prefix })
      return page
    },
    set: (key, value, { ifVersion } = {}) => send('storage:set', { key, value, ifVersion }),
    remove: (key) => send('storage:remove', { key }),
    increment: (key, by) => send('storage:increment', { key, by }),
    patch: (key, patch) => send('storage:patch', { key, patch }),
    publish: (channel, data) => send('event:publish', { channel, data }),
    watch: async (key) => {
      try {
        const { entries } = (await send('storage:subscribe', { keys: [{ key }] })) as { entries: Entry[] }
        const followed = follow((payload) => 'key' in payload && payload.key === key, 'storage:updated')
        const first = entries.filter(({ version }) => version > 0)
        return {
          get received() {
            return [...first, ...followed.received]
          },
          get ended() {
            return followed.ended
          },
        }
      } catch (error) {
        return ended(error)
      }
    },
    subscribe: async (pattern) => {
      try {
        await send('event:subscribe', { channel: pattern })
        return follow((payload) => 'channel' in payload && (payload.channel === pattern || 'data' in payload), 'event:received')
      } catch (error) {
        return ended(error)
      }
    },
  }
}

/** The way of server code. */
function byServer({ state, events }: UserRealtime): Way {
  const follow = async (begin: (listener: (message: unknown) => void, options: { onEnd(error: RealtimeError): void }) => () => void) => {
    const received: unknown[] = []
    const ended: ErrorCode[] = []
    const undo = begin((message) => received.push(message), { onEnd: ({ code }) => void ended.push(code) })
    onTestFinished(undo)
    return { received, ended }
  }
  return {
    ...state,
    publish: (channel, data) => events.publish(channel, data),
    watch: (key) => follow((listener, options) => state.watch(key, listener, options)),
    subscribe: (pattern) => follow((listener, options) => events.subscribe(pattern, listener, options)),
  }
}

/** What became of a request: its result without what differs from run to run, or its code with what it carries. */
async function outcomeOf(act: Promise<unknown>): Promise<unknown> {
  try {
    const result = await act
    return withoutVersions(result ?? {})
  } catch (error) {
    if (!(error instanceof RealtimeError)) throw error
    const { code, entry, issues } = error
    return withoutVersions({ code, ...(entry && { entry }), ...(issues && { issues }) })
  }
}

const withoutVersions = (result: unknown): unknown =>
  JSON.parse(JSON.stringify(result, (name, value: unknown) => (['version', 'base'].includes(name) ? value !== 0 : value)))

/** Two instances, or one; the user's client is on the first, the server code that acts as them on the last, and so are rights. */
type Start = (options: Partial<AttachRealtimeOptions>) => Promise<{ near: Served; far: Served }>

const alone: Start = async (options) => {
  const server = await serve({ ...options, state: reactiveDriver(memoryDriver()) })
  onTestFinished(() => server.close())
  return { near: server, far: server }
}

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

let prefixes = 0
const together: Start = async (options) => {
  prefixes += 1
  const prefix = `as-user-${prefixes}`
  const start = async (): Promise<Served> => {
    const pubsub = new RealtimePubSub({ url: redis.url, prefix })
    const server = await serve({ ...options, pubsub, state: reactiveRedisDriver({ pubsub, base: prefix }) })
    onTestFinished(() => server.close())
    return server
  }
  return { near: await start(), far: await start() }
}

describe.each([
  ['one instance', alone],
  ['two instances on one Redis', together],
])('on %s', (_, start) => {
  /** The same by both ways, each for a user of its own: what is compared is what became of it. */
  async function both(
    act: (way: Way, id: string, served: { near: Served; far: Served; rights: Map<string, unknown> }) => Promise<unknown>,
  ) {
    const { rights, options } = world()
    const { near, far } = await start(options)
    const outcomes: unknown[] = []
    for (const id of ['client', 'server']) {
      const way = id === 'client' ? byClient(await near.connect({ auth: { token: id } })) : byServer(far.realtime.as({ id }))
      const outcome = await act(way, id, { near, far, rights })
      outcomes.push(JSON.parse(JSON.stringify(outcome).replaceAll(id, 'me')))
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    return outcomes[0]
  }

  const requests: [name: string, send: (way: Way, key: string) => Promise<unknown>][] = [
    ['get', (way, key) => way.get(key)],
    ['list', (way, key) => way.list(`${key}:`)],
    ['set', (way, key) => way.set(key, 1)],
    ['set on a condition', (way, key) => way.set(key, 1, { ifVersion: 7 })],
    ['remove', (way, key) => way.remove(key)],
    ['increment', (way, key) => way.increment(key, 2)],
    ['patch', (way, key) => way.patch(key, { a: 1 })],
    ['publish', (way, key) => way.publish(key, 1)],
    ['a name that is none', (way) => way.get('a/b')],
    ['a channel that is none', (way) => way.publish('a*', 1)],
    ['a prefix that is none', (way) => way.list('a')],
    ['a place outside of the prefix', (way, key) => way.list(`${key}:`, 'elsewhere')],
  ]

  test.each([true, false, 'UNAVAILABLE'] as const)('[X11] each request by `as` has the outcome that a client gets: %s', async (answer) => {
    const seen = await both(async (way, id, { far, rights }) => {
      const outcomes: unknown[] = []
      for (const [name, send] of requests) {
        const key = `${id}-${name.replaceAll(' ', '-')}`
        for (const target of [key, `${key}:`, 'a*', 'a:']) rights.set(`${id} ${target}`, answer)
        await far.realtime.state.set(key, 40)
        await far.realtime.state.set(`${key}:1`, 41)
        outcomes.push([name, await outcomeOf(send(way, key))])
      }
      return outcomes
    })
    const codes = (seen as [string, { code?: string }][]).map(([, { code }]) => code)
    const invalid = ['INVALID_KEY', 'INVALID_CHANNEL', 'INVALID_KEY', 'INVALID_MESSAGE']
    const rest = codes.slice(0, -invalid.length)
    expect(codes.slice(-invalid.length)).toEqual(invalid)
    if (answer === true) expect(rest).toEqual([undefined, undefined, undefined, 'CONFLICT', undefined, undefined, undefined, undefined])
    else expect(new Set(rest)).toEqual(new Set([answer === false ? 'FORBIDDEN' : answer]))
  })

  test('[X11] a value that is not JSON or violates its schema is refused with its issues', async () => {
    const seen = await both(async (way, id, { rights }) => {
      for (const name of ['typed:1', 'typed:2']) rights.set(`${id} ${name}`, true)
      return [
        await outcomeOf(way.set('typed:1', 'text')),
        await outcomeOf(way.patch('typed:1', { a: 1 })),
        await outcomeOf(way.publish('typed:2', 'text')),
        await outcomeOf(way.increment('typed:1', 1)),
        await outcomeOf(way.remove('typed:1')),
      ]
    })
    const refused = { code: 'INVALID_VALUE', issues: [{ path: '', message: expect.any(String) }] }
    expect(seen).toEqual([refused, refused, refused, { value: 1, version: true }, { version: true }])
  })

  test('[X11] [S6] a conflict comes without the entry where it may not be read', async () => {
    const seen = await both(async (way, id, { far, rights }) => {
      rights.set(`${id} state:write ${id}`, true)
      await far.realtime.state.set(id, 'secret')
      const hidden = await outcomeOf(way.set(id, 1, { ifVersion: 0 }))
      rights.set(`${id} open`, true)
      await far.realtime.state.set('open', 'known')
      return [hidden, await outcomeOf(way.set('open', 1, { ifVersion: 0 }))]
    })
    expect(seen).toEqual([{ code: 'CONFLICT' }, { code: 'CONFLICT', entry: { key: 'open', version: true, value: 'known' } }])
  })

  test('[X11] a listing shows the keys that may be read, and no sign of others', async () => {
    const seen = await both(async (way, id, { far, rights }) => {
      rights.set(`${id} ${id}:`, 'each')
      for (let place = 0; place < 6; place += 1) {
        await far.realtime.state.set(`${id}:${place}`, place)
        if (place % 2 === 1) rights.set(`${id} ${id}:${place}`, true)
      }
      const before = await outcomeOf(way.list(`${id}:`))
      rights.set(`${id} ${id}:4`, 'UNAVAILABLE')
      return [before, await outcomeOf(way.list(`${id}:`, `${id}:4`)), await outcomeOf(way.get(`${id}:0`))]
    })
    const entry = (place: number) => ({ key: `me:${place}`, version: true, value: place })
    expect(seen).toEqual([{ entries: [1, 3, 5].map(entry) }, { entries: [entry(5)] }, { code: 'FORBIDDEN' }])
  })

  test('[X11] [X2] a watch and a subscription deliver readable data, until a revocation', async () => {
    const seen = await both(async (way, id, { near, far, rights }) => {
      for (const name of [`${id}-key`, `${id}-chat:1`]) rights.set(`${id} ${name}`, true)
      rights.set(`${id} ${id}-chat:*`, 'each')
      await far.realtime.state.set(`${id}-key`, 1)
      const [watched, chat, refused, unheard] = [
        await way.watch(`${id}-key`),
        await way.subscribe(`${id}-chat:*`),
        await way.watch('other'),
        await way.subscribe('other'),
      ]
      await eventually(() => expect(watched.received).toHaveLength(1))
      await near.realtime.state.set(`${id}-key`, 2)
      for (const channel of [`${id}-chat:1`, `${id}-chat:2`]) await near.realtime.events.publish(channel, 'hello')
      await eventually(() => expect([watched.received, chat.received].map(({ length }) => length)).toEqual([2, 1]))
      // The right to the key ends, that to the channel is kept.
      rights.set(`${id} ${id}-key`, false)
      await near.realtime.revoke({ user: id, pattern: `${id}-key` })
      await eventually(() => expect(watched.ended).toEqual(['FORBIDDEN']))
      await far.realtime.state.set(`${id}-key`, 3)
      await near.realtime.events.publish(`${id}-chat:1`, 'still here')
      await eventually(() => expect(chat.received).toHaveLength(2))
      await near.realtime.revoke({ user: id })
      await eventually(() => expect(chat.ended).toEqual(['FORBIDDEN']))
      return [withoutVersions(watched.received), chat.received, refused.ended, unheard.ended, await outcomeOf(way.get(`${id}-key`))]
    })
    expect(seen).toEqual([
      [1, 2].map((value) => ({ key: 'me-key', version: true, value })),
      ['hello', 'still here'].map((data) => ({ channel: 'me-chat:1', data })),
      ['FORBIDDEN'],
      ['FORBIDDEN'],
      { code: 'FORBIDDEN' },
    ])
  })
})
