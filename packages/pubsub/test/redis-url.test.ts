import { RealtimeError } from '@tutti/protocol'
import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { parseRedisUrl } from '../src/redis/parse-redis-url.ts'
import { connect, observer, testRedis } from './setup.ts'

const SECRET = 'hunter2'

// One Redis for the file: `ann` has a password of every kind of character.
let redis: TestRedis
const PASSWORD = `${SECRET} p:/?#[]@!$&'()*+,;=%"<>\\^|{}ü\u{1f600}`
beforeAll(async () => {
  redis = await startRedis()
  const admin = new Redis(redis.port, redis.host)
  await admin.acl('SETUSER', 'ann', 'on', `>${PASSWORD}`, `>${SECRET}`, '~*', '&*', '+@all')
  admin.disconnect()
})
afterAll(() => redis.stop())

/** Text of any characters, mostly below U+0800. (fast-check's own generator takes seconds to create.) */
const characters = (maxLength: number) =>
  fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0x7ff), fc.nat(0x10ffff)), { maxLength }).map((points) => String.fromCodePoint(...points))

/** Every text of an error that could be logged. */
const shown = (error: unknown): string =>
  [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), String(error), error instanceof Error ? error.stack : ''].join(
    '\n',
  )

/** The error that the function throws. */
function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

test('[N8] a URL is parsed part by part', () => {
  const read: Record<string, ReturnType<typeof parseRedisUrl>> = {
    'redis://h': { host: 'h', port: 6379 },
    'redis://h/': { host: 'h', port: 6379 },
    'REDISS://h.example:1/0': { host: 'h.example', port: 1, db: 0, tls: true },
    'redis://127.0.0.1:65535/15': { host: '127.0.0.1', port: 65_535, db: 15 },
    'redis://[::1]:7/2': { host: '::1', port: 7, db: 2 },
    'redis://[fe80::1%25eth0]': { host: 'fe80::1%eth0', port: 6379 },
    'redis://my_redis-1': { host: 'my_redis-1', port: 6379 },
    'redis://ann:p%3Aw%40x%2F@h': { host: 'h', port: 6379, username: 'ann', password: 'p:w@x/' },
    'redis://:a:b@c@h': { host: 'h', port: 6379, password: 'a:b@c' },
    'redis://ann@h': { host: 'h', port: 6379, username: 'ann' },
    'redis://:@h': { host: 'h', port: 6379 },
    'unix:/run/redis.sock': { path: '/run/redis.sock' },
    'unix:///run/redis.sock?db=3': { path: '/run/redis.sock', db: 3 },
    'redis+unix://ann:p%25@/run/a%20b.sock': { path: '/run/a b.sock', username: 'ann', password: 'p%' },
  }
  for (const [url, parts] of Object.entries(read)) expect(parseRedisUrl(url), url).toEqual(parts)
})

test('[N8] a URL that cannot work is refused with the name of its invalid part', () => {
  const refused: [flaw: RegExp, urls: unknown[]][] = [
    [/must be a string/, [undefined, null, 6379, new URL('redis://h')]],
    [/must begin with/, ['', ' redis://h', 'h:6379', 'http://h', 'redis:h', 'redis:/h', 'rediss', '//h', 'redis-sentinel://h']],
    [/parameters/, ['redis://h?', 'redis://h?db=1', 'redis://h/1?maxRetriesPerRequest=20&enableOfflineQueue=true', 'redis://:hunter2?x@h']],
    [/parameters/, ['unix:/a?db=1&tls=true', 'unix:/a?', 'unix:/a?password=hunter2']],
    [/fragment/, ['redis://h#', 'redis://h/#1', 'redis://:hunter2#x@h']],
    [/no host/, ['redis://', 'redis:///', 'redis:///1', 'redis://:6379', 'redis://ann:hunter2@:6379', 'redis://:hunter2']],
    [
      /host/,
      ['redis://h h', 'redis://h\n', 'redis://h%2e', 'redis://[1.2.3.4]', 'redis://[h]', 'redis://[]', 'redis://a,b', 'redis://{h}'],
    ],
    [/port/, ['redis://h:', 'redis://h:/1', 'redis://h:0', 'redis://h:65536', 'redis://h:x', 'redis://h:+1']],
    [/%2F/, ['redis://:hunter2/x@h', 'redis://ann:hunter2/@h/1', 'redis://h/@']],
    [/database/, ['redis://h/x', 'redis://h/3/', 'redis://h/-1', 'redis://h/01', 'redis://h/1.5', 'redis://h//', 'redis://h/99999999999']],
    [/database/, ['unix:/a?db=', 'unix:/a?db=x', 'unix:/a?db=-1']],
    [/password/, ['redis://:hunter2%@h', 'redis://:hunter2%zz@h', 'redis://ann:hunter2%ff@h', 'unix://:hunter2%@/a']],
    [/username/, ['redis://hunter2%:x@h', 'redis://hunter2%@h']],
    [/path/, ['unix:', 'unix:redis.sock', 'unix://h/a', 'unix:/', 'unix:/a%00', `unix:/${'a'.repeat(107)}`, 'unix:/%', 'unix:/a#b']],
  ]
  for (const [flaw, urls] of refused)
    for (const url of urls) {
      const error = thrownBy(() => parseRedisUrl(url))
      expect(error, String(url)).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringMatching(flaw) })
      expect(shown(error), String(url)).not.toContain(SECRET)
    }
})

test('[N8] every name, password, host, port and database survives its URL', () => {
  const text = characters(12).filter((name) => name.isWellFormed())
  const host = fc.oneof(
    fc.constantFrom('h', 'a.b-c', 'my_redis', 'bücher.example'),
    fc.ipV4(),
    fc.constantFrom('::1', '2001:db8::7334', '::ffff:1.2.3.4'),
  )
  const parts = fc.record({
    username: text,
    password: text,
    host,
    port: fc.integer({ min: 1, max: 65_535 }),
    db: fc.nat(),
    tls: fc.boolean(),
  })
  fc.assert(
    fc.property(parts, ({ username, password, host, port, db, tls }) => {
      const place = `${host.includes(':') ? `[${host}]` : host}:${port}/${db}`
      const url = `redis${tls ? 's' : ''}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${place}`
      const expected = { host, port, db, ...(username && { username }), ...(password && { password }), ...(tls && { tls }) }
      expect(parseRedisUrl(url)).toEqual(expected)
    }),
  )
})

/** URLs with a secret in one of their parts, most of them invalid. */
const suspicious = (place: string) => {
  const piece = fc.oneof(
    fc.constantFrom(
      '',
      '%',
      '%2',
      '%zz',
      '%ff',
      '/',
      '//',
      '?',
      '#',
      '@',
      ':',
      '[',
      ']',
      '&',
      '=',
      ' ',
      '\n',
      '\\',
      'ann',
      '3',
      '-1',
      'db=1',
    ),
    fc.constantFrom('?maxRetriesPerRequest=20&enableOfflineQueue=true', '?db=1', '/3', '/x', '/3/', '?password=x', '?path=/x'),
    characters(4),
  )
  return fc.tuple(piece, piece, piece, piece).map(([a, b, c, d]) => `redis://${a}:${b}${SECRET}${c}@${place}${d}`)
}

test('[N8] any text is parsed as a URL or refused, and a refusal does not quote it', () => {
  const any = fc.oneof(suspicious('h:1'), characters(12), suspicious(''))
  fc.assert(
    fc.property(any, (url) => {
      const error = thrownBy(() => parseRedisUrl(url))
      if (error === undefined) return
      expect(error).toBeInstanceOf(RealtimeError)
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
      expect(shown(error)).not.toContain(SECRET)
    }),
    { numRuns: 500 },
  )
})

test('[N8] any URL connects as written or is INVALID_OPTIONS, without its password', async () => {
  const place = `${redis.host}:${redis.port}`
  const right = ['', '/', '/0', '/3'].map((path) => `redis://ann:${SECRET}@${place}${path}`)
  const urls = [...right, ...fc.sample(suspicious(place), { numRuns: 150, seed: 15 })]
  const outcomes = urls.map(async (url) => {
    const errors: unknown[] = []
    let pubsub: RealtimePubSub
    try {
      pubsub = new RealtimePubSub({ url, onError: (error) => errors.push(error) })
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_OPTIONS' })
      expect(shown(error)).not.toContain(SECRET)
      return 'refused'
    }
    // No such user, or a password where none is expected.
    const settled = new Promise<void>((resolve) => void pubsub.onStatus(() => resolve()))
    await settled
    const { status } = pubsub
    if (status === 'ready') expect(await pubsub.link.command('CLIENT', 'INFO')).toContain(` db=${parseRedisUrl(url).db ?? 0} `)
    await pubsub.dispose()
    expect(shown([pubsub, errors])).not.toContain(SECRET)
    return status
  })
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['refused', 'ready', 'unavailable']))
})

test('[N8] any password signs in by URL and by option, over TCP and a Unix socket', async () => {
  const credentials = `ann:${encodeURIComponent(PASSWORD)}@`
  const signIn = { username: 'ann', password: PASSWORD }
  const places: RealtimePubSubOptions[] = [
    { url: `redis://${credentials}${redis.host}:${redis.port}/3` },
    { host: redis.host, port: redis.port, db: 3, ...signIn },
    { url: `unix://${credentials}${redis.socketPath}?db=3` },
    { path: redis.socketPath, db: 3, ...signIn },
  ]
  for (const place of places) {
    const { pubsub } = connect(place)
    const [text] = await Promise.all([
      new Promise((resolve) => void pubsub.link.subscribe('news', resolve).ready.then(() => pubsub.link.publish('news', 'hello'))),
      pubsub.link.ready,
    ])
    expect(text).toBe('hello')
    expect(await pubsub.link.command('ACL', 'WHOAMI')).toBe('ann')
    expect(await pubsub.link.command('CLIENT', 'INFO')).toMatch(/ db=3 /)
  }
})

test('[N5] parameters of a URL cannot make a command run twice', () => {
  const url = `${redis.url}?maxRetriesPerRequest=20&enableOfflineQueue=true&autoResendUnfulfilledCommands=true`
  expect(thrownBy(() => new RealtimePubSub({ url }))).toMatchObject({ code: 'INVALID_OPTIONS' })
  const client = new Redis(url, { lazyConnect: true })
  onTestFinished(() => client.disconnect())
  expect(thrownBy(() => new RealtimePubSub({ clients: { pub: client, sub: client } }))).toMatchObject({ code: 'INVALID_OPTIONS' })
})

test('[N8] a missing Unix socket is unavailable, and used once it exists', async () => {
  const late = await testRedis()
  await late.kill()
  const { pubsub, errors } = connect({ path: late.socketPath })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await late.restart()
  await pubsub.link.ready
  expect(errors).toHaveLength(1)
})

test('[N5] no error contains a password that Redis or a Sentinel refuses', async () => {
  const guarded = await testRedis()
  await observer(guarded).config('SET', 'requirepass', 'other')
  const { host, port } = guarded
  const wrong = { username: 'ann', password: SECRET }
  const places: RealtimePubSubOptions[] = [
    { host, port, ...wrong },
    { url: `redis://ann:${SECRET}@${host}:${port}` },
    { path: guarded.socketPath, ...wrong },
    { cluster: [{ host, port }], ...wrong },
    { sentinels: [{ host, port }], name: 'x', sentinelUsername: 'ann', sentinelPassword: SECRET },
  ]
  for (const place of places) {
    const { pubsub, errors } = connect(place)
    await eventually(() => expect(errors).not.toEqual([]))
    const refusal = await pubsub.link.command('GET', 'x').catch((error: unknown) => error)
    await pubsub.dispose()
    expect(shown([pubsub, errors, refusal])).not.toContain(SECRET)
    expect([...errors.map(({ error }) => shown(error)), shown(refusal)].join('')).not.toContain(SECRET)
  }
})
