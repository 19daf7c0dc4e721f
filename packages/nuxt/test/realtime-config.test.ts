import { expect, test } from 'vitest'
import { hasRedis, parseConfig, redisOptionsOf } from '../src/runtime/server/realtime-config'

const redisOf = (tutti: object) => {
  const config = parseConfig({ tutti, public: { tutti: { url: '' } } })
  return config && redisOptionsOf(config)
}

test('[N8] without an address there is no Redis', () => {
  expect(redisOf({ redisUrl: '', redis: {} })).toBeUndefined()
  expect(redisOf({ redis: { url: '' } })).toBeUndefined()
})

test('[F5] an address that is empty is no Redis, so that the module warns', () => {
  for (const config of [{}, { redis: {} }, { redis: { url: '' } }, { redis: { host: undefined } }]) {
    expect(hasRedis(config, {})).toBe(false)
    expect(hasRedis(config, { NUXT_TUTTI_REDIS_URL: '' })).toBe(false)
    expect(hasRedis(config, { NUXT_TUTTI_REDIS_URL: 'redis://redis.example' })).toBe(true)
  }
  expect(hasRedis({ redis: { url: 'redis://redis.example' } }, {})).toBe(true)
  expect(hasRedis({ redis: { host: 'redis.example' } }, {})).toBe(true)
  expect(hasRedis({ redisUrl: 'redis://redis.example' }, {})).toBe(true)
})

test('[X9] the module refuses a config with which the application could not start', () => {
  for (const config of [{ redis: 'redis://redis.example' }, { redis: null }, { dataDir: 5 }]) {
    expect(() => hasRedis(config, {})).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  }
})

test('[N8] a configured address is used as it is', () => {
  const redis = { host: 'redis.example', port: 6380, password: 'secret', tls: { ca: 'CA' }, prefix: 'shop' }
  expect(redisOf({ redisUrl: '', redis })).toEqual(redis)
})

test.for([
  { url: 'rediss://old:secret@redis.example', tls: { ca: 'CA' } },
  { host: 'redis.example', port: 6380, username: 'old', password: 'secret', db: 3, tls: true },
  { path: '/run/redis.sock', password: 'secret' },
  {
    sentinels: [{ host: 's', port: 1 }],
    name: 'm',
    sentinelUsername: 'old',
    sentinelPassword: 'secret',
    sentinelTls: true,
    password: 'secret',
  },
  { cluster: [{ host: 'c', port: 1 }], password: 'secret' },
])('[N8] NUXT_TUTTI_REDIS_URL replaces all of %o', (address) => {
  expect(redisOf({ redisUrl: 'redis://new', redis: { ...address, prefix: 'shop' } })).toEqual({ url: 'redis://new', prefix: 'shop' })
})

test('[X9] a value of the environment that is no URL or no path is refused', () => {
  expect(() => redisOf({ redisUrl: 6379 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(() => redisOf({ redis: 'redis://new' })).toThrow('must be an object')
  expect(() => redisOf({ dataDir: 1 })).toThrow('must be the path of a folder')
})

test('[C3] an application whose pages use another process has no realtime server', () => {
  expect(parseConfig({ tutti: {}, public: { tutti: { url: 'https://realtime.example' } } })).toBeUndefined()
})

test('[X9] all other options are those of the server', () => {
  expect(parseConfig({ tutti: { redis: {}, dataDir: '/data', trustProxy: 1 } })).toEqual({
    redisUrl: '',
    redis: {},
    dataDir: '/data',
    options: { trustProxy: 1 },
  })
})
