import { expect, test } from 'vitest'
import { realtimeOptions } from '../src/runtime/server/realtime-options'

const optionsWith = (redisUrl: string, redis = {}) =>
  realtimeOptions({ config: { redisUrl, redis, dataDir: '', options: {} }, definition: {}, schema: undefined, isDev: false })

test('[X9] an invalid URL is refused with the name of its variable or option', () => {
  expect(() => optionsWith('redis.example')).toThrow('NUXT_TUTTI_REDIS_URL: Invalid `url`: it must begin with redis://')
  expect(() => optionsWith('', { url: 'redis.example' })).toThrow(/^Invalid `url`/)
})
