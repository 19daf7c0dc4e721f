import * as fc from 'fast-check'

// Every way to name a key that we could think of: what is a key, what nearly is one, and what would be something else to
// Redis, to unstorage, to JavaScript or to a file system.

const PLAIN = [
  'a',
  'todos:1',
  'user:ann:notes',
  'ключ',
  '日本:語',
  'emoji:😀',
  'A',
  'x'.repeat(256),
  ' a ',
  'a b',
  'a#b',
  'a%3Ab',
  '-1',
  '0',
]

/** Things of Redis that are not below the base, or internal: what they would be called, whole or below the base. */
const INNER = [
  ...['tutti', 'tutti:', 'tutti:a', 'tutti$index', '$index', '$', 'a$', 'a$meta', 'a$state', 'a$m:ann:c1', '{tutti:a}$', '{tutti:a}$meta'],
  ...['a}$', 'a}$meta', 'a}$m:ann:c1', '}{', '{a}', '{}a', '{other}:secret', 'tutti:watch', 'tutti:events', 'tutti:revocations'],
  ...['..:other:secret', '../other:secret', 'a:..:..:other:secret', '.', '..', 'a:.', './a', '/a', 'a/b', 'a\\b', 'a?b', 'a?', 'file:///a'],
]

const GLOBS = ['*', 'a*', '*:*', 'todos:*', '[a-z]', 'a[b]', '\\*', '**', 'todos:?', '?', 'a:*:b']

const SEGMENTS = ['', ':', '::', 'a:', ':a', 'a::b', 'a:b:', ' : ', '\u200b', 'a:\u200b:b', '\ufeffa', '\u00a0']

const PROTOTYPE = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__proto__:polluted',
    'a:__proto__',
    'constructor:prototype',
  ],
]

const LETTERS = [
  'ä',
  'a\u0308',
  'Å',
  'Å',
  'ﬁ',
  'İ',
  'ı',
  'ß',
  'ẞ',
  'а',
  '：',
  '․',
  '‥',
  '＊',
  '＄',
  '\u202egnirts',
  '\ud800',
  'a\udfff',
  '\u0000',
  'a\nb',
  'a\r\nDEL a',
]

const LONG = ['x'.repeat(257), 'ü'.repeat(129), 'x'.repeat(5_000)]

const listed = fc.constantFrom(...PLAIN, ...INNER, ...GLOBS, ...SEGMENTS, ...PROTOTYPE, ...LETTERS, ...LONG)

/** Changes of a name that some layer might undo. */
const twisted = fc
  .tuple(
    listed,
    fc.constantFrom<(name: string) => string>(
      (n) => n.toUpperCase(),
      (n) => n.normalize('NFD'),
      (n) => n.normalize('NFKC'),
      encodeURIComponent16,
      (n) => n.replaceAll(':', '/'),
      (n) => n.replaceAll(':', '::'),
      (n) => `tutti:${n}`,
      (n) => `{${n}}`,
      (n) => `${n}$`,
      (n) => `${n}\u0000`,
      (n) => `${n} `,
      (n) => `${n}?x=1`,
    ),
  )
  .map(([name, twist]) => twist(name))

/** Unlike `encodeURIComponent`, takes what is not well-formed. */
function encodeURIComponent16(name: string): string {
  return encodeURIComponent(name.toWellFormed())
}

const joined = fc
  .array(fc.oneof(listed, fc.string({ unit: 'binary', maxLength: 6 })), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(':'))

/** A name of any kind, whether it is a key or not. */
export const awkwardName: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: listed },
  { weight: 2, arbitrary: twisted },
  { weight: 2, arbitrary: joined },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)
