import { documentedAcl } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { redisStores } from './stores.ts'

const acl = documentedAcl()
const made = await redisStores({ base: 'tutti', acl })
const intruder = new Redis(made.redis.url.replace('//', `//${acl.credentials}@`))

afterAll(async () => {
  intruder.disconnect()
  await made.dispose()
})

test('[X3] the documented ACL user reaches no foreign key, channel or other command', async () => {
  await made.client.set('other:secret', 'hidden')
  await made.store.setItem?.('mine', '"shown"', {})
  expect(await intruder.get('tutti:mine')).toBe('"shown"')
  const refused = [
    ['GET', 'other:secret'],
    ['GET', 'tutti2:secret'],
    ['GET', '{other:secret}$'],
    ['SET', 'other:secret', 'mine'],
    ['EVAL', "return redis.call('GET', KEYS[1])", 1, 'other:secret'],
    ['EVAL', "return redis.call('GET', 'other:secret')", 0],
    ['PUBLISH', 'other:events', 'x'],
    ['SUBSCRIBE', 'other:events'],
    ['PSUBSCRIBE', '*'],
    ['KEYS', '*'],
    ['FLUSHALL'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['MONITOR'],
    ['CLIENT', 'LIST'],
  ] as const
  for (const [name, ...args] of refused)
    await expect(intruder.call(name, ...args.map(String)), name).rejects.toThrow(/NOPERM|The user executing the script can't access/)
})
