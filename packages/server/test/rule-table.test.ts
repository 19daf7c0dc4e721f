import { describe, expect, test } from 'vitest'
import { rules, type Decision, type AuthorizeRequest, type User } from '../src/index.ts'
import type { Access } from '../src/authorization/authorize.ts'

type Asked = Access extends infer One ? (One extends Access ? Pick<One, 'action' | 'target'> : never) : never

const ask = (authorize: (question: AuthorizeRequest) => Decision | Promise<Decision>, access: Asked, id: string | null = 'ann') =>
  authorize({ ...access, user: id === null ? null : { id }, connection: { id: 'c', clientId: undefined } } as AuthorizeRequest)

const read = (key: string): Asked => ({ action: 'state:read', target: { key } })
const list = (prefix: string): Asked => ({ action: 'state:read', target: { prefix } })
const hear = (pattern: string): Asked => ({ action: 'event:subscribe', target: { pattern } })

describe('keys', () => {
  const authorize = rules({
    state: {
      'todos:*': { read: true, write: true },
      'todos:locked': { read: true },
      'todos:secret:*': { write: true },
      'user:{id}:*': { read: true, write: true },
      'user:public:*': { read: true },
      'inbox:{id}': { read: true },
      'inbox:root': { read: false },
      count: { read: true, write: ({ user }) => user?.id === 'ann' },
    },
  })

  test.each([
    ['todos:1', true],
    ['todos:1:2', true],
    ['todos', false],
    ['todos2:1', false],
    ['todos:secret:1', false],
    ['todos:secret', true],
    ['count', true],
    ['count:1', false],
    ['Count', false],
    ['user:ann:x', true],
    ['user:ann', false],
    ['user:bob:x', false],
    ['user:public:x', true],
    ['user:{id}:x', false],
    ['__proto__', false],
    ['constructor', false],
  ])('[X2] reading %s: %s', (key, allowed) => expect(ask(authorize, read(key))).toBe(allowed))

  test('[X2] the most specific row decides alone, a word before {id}', () => {
    expect(ask(authorize, { action: 'state:write', target: { key: 'todos:locked' } })).toBe(false)
    expect(ask(authorize, { action: 'state:write', target: { key: 'todos:secret:1' } })).toBe(true)
    expect(ask(authorize, { action: 'state:write', target: { key: 'user:public:x' } }, 'public')).toBe(false)
    expect(ask(authorize, read('inbox:root'), 'root')).toBe(false)
  })

  test('[X2] a rule may be a function of the question', () => {
    expect(ask(authorize, { action: 'state:write', target: { key: 'count' } })).toBe(true)
    expect(ask(authorize, { action: 'state:write', target: { key: 'count' } }, 'bob')).toBe(false)
    expect(ask(authorize, { action: 'state:write', target: { key: 'count' } }, null)).toBe(false)
  })

  test.each(['ann:x', '*', 'ann:*', ':', '{id}', ''])('[X2] a user whose id is %j reaches nothing of others by it', (id) => {
    for (const key of ['user:ann:x', 'user:ann:x:y', 'user:bob:z', 'inbox:ann', 'inbox:bob:x'])
      expect(ask(authorize, read(key), id)).toBe(false)
    expect(ask(authorize, list('user:'), id)).not.toBe(true)
  })

  test('[X2] {id} matches nothing without a user', () => {
    expect(ask(authorize, read('user:ann:x'), null)).toBe(false)
    expect(ask(authorize, read('user:null:x'), null)).toBe(false)
    expect(ask(authorize, read('todos:1'), null)).toBe(true)
  })

  test('[X2] a prefix is decided by its covering row, or `each` if rows differ', () => {
    expect(ask(authorize, list('todos:'))).toBe('each')
    expect(ask(authorize, list('todos:1:'))).toBe(true)
    expect(ask(authorize, list('todos:secret:'))).toBe(false)
    expect(ask(authorize, list('user:ann:'))).toBe(true)
    expect(ask(authorize, list('user:bob:'))).toBe(false)
    expect(ask(authorize, list('user:'))).toBe('each')
    expect(ask(authorize, list('nothing:'))).toBe(false)
  })
})

test('[X2] a pattern of channels is answered the same way, and a function may say each', () => {
  const member = ({ user }: AuthorizeRequest) => user?.id === 'ann'
  const authorize = rules({
    events: {
      'chat:*': { subscribe: true, publish: true },
      'box:*': { publish: true },
      'open:*': { subscribe: () => true },
      'club:*': { subscribe: member },
      'club:inner:*': { subscribe: member },
      'news:*': { subscribe: ({ target }) => ('pattern' in target ? 'each' : 'channel' in target && target.channel !== 'news:staff') },
      'log:*': { subscribe: false },
      'log:mine:*': { subscribe: false },
    },
  })
  expect(ask(authorize, hear('chat:*'))).toBe(true)
  expect(ask(authorize, hear('chat:a:*'))).toBe(true)
  expect(ask(authorize, hear('box:*'))).toBe(false)
  expect(ask(authorize, hear('open:*'))).toBe(true)
  // One function may answer differently for each pattern.
  expect(ask(authorize, hear('club:*'))).toBe('each')
  expect(ask(authorize, hear('*'))).toBe('each')
  expect(ask(authorize, hear('news:*'))).toBe('each')
  expect(ask(authorize, hear('log:*'))).toBe(false)
  expect(ask(authorize, { action: 'event:subscribe', target: { channel: 'news:staff' } })).toBe(false)
  expect(ask(authorize, { action: 'event:publish', target: { channel: 'chat:1' } })).toBe(true)
  expect(ask(authorize, { action: 'event:publish', target: { channel: 'news:1' } })).toBe(false)
})

test('[X2] keys and channels have tables of their own', () => {
  const authorize = rules({ state: { '*': { read: true, write: true } } })
  expect(ask(authorize, read('a'))).toBe(true)
  expect(ask(authorize, { action: 'event:subscribe', target: { channel: 'a' } })).toBe(false)
})

test.each(['', 'a*', 'a:*:b', '{id', 'a:{name}', 'a/b', '$x', 'a:{id}x'])(
  '[X2] a table with the pattern %j throws INVALID_OPTIONS',
  (pattern) => {
    expect(() => rules({ state: { [pattern]: { read: true } } })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  },
)

test('[X2] rules know the type of the application’s user', () => {
  interface Member extends User {
    readonly role: 'admin' | 'guest'
  }
  const authorize = rules<Member>({ state: { '*': { read: ({ user }) => user?.role === 'admin' } } })
  expect(authorize({ ...read('a'), user: { id: 'x', role: 'guest' }, connection: { id: 'c', clientId: undefined } })).toBe(false)
})
