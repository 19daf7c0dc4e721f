import * as fc from 'fast-check'

// Names for attempts to access protected data.

/** Keys that only others may read, with secrets. Alice changes `user:alice:live` continuously. */
export const FORBIDDEN_KEYS = ['user:alice:notes', 'user:alice:live', 'admin:settings', 'shared:latency'] as const

/** Channels that only others may receive. Alice publishes secrets on the first continuously. */
export const FORBIDDEN_CHANNELS = ['user:alice:inbox', 'admin:log'] as const

const INTERNAL = [
  'tutti$index',
  'tutti:$index',
  '$index',
  '$',
  '{tutti:user:alice:notes}$',
  '{tutti:user:alice:notes}$meta',
  '{tutti:user:alice:notes}$m:alice:c1',
  'user:alice:notes$meta',
  'user:alice:notes$',
  'tutti:user:alice:notes',
  'other:secret',
  '..:other:secret',
  '../other:secret',
  'public:..:user:alice:notes',
  'public:../user:alice:notes',
]

const PROTOTYPE = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'public:__proto__', '__proto__:polluted']

const GLOBS = [
  '*',
  'user:*',
  'user:alice:*',
  'user:alic?:notes',
  'user:[a]lice:notes',
  'user:al*',
  '**',
  'user:{id}:notes',
  'user:{alice}:notes',
]

/** Variants of a name that resemble it, or could be normalized to it. */
const twisted = (name: string): string[] => [
  name.toUpperCase(),
  name.replaceAll(':', '/'),
  name.replaceAll(':', '\\'),
  name.replaceAll(':', '::'),
  name.replaceAll(':', '\uff1a'),
  name.replace('a', '\u0430'),
  name.replace('e', 'e\u0301').normalize('NFD'),
  `${name}:`,
  `:${name}`,
  ` ${name}`,
  `${name} `,
  `${name}\u0000`,
  `${name}\r\nDEL tutti:${name}`,
  `${name}?x`,
  `${name}#x`,
  `${name}%00`,
  encodeURIComponent(name),
  `public:x/../../${name}`,
  `{${name}}`,
  `${name}\u200b`,
  `\ufeff${name}`,
  `${name}\ud800`,
]

/** Names from everything above, allowed names, and random ones. */
export const hostileName: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...FORBIDDEN_KEYS, ...FORBIDDEN_CHANNELS) },
  { weight: 3, arbitrary: fc.constantFrom(...[...FORBIDDEN_KEYS, ...FORBIDDEN_CHANNELS].flatMap(twisted)) },
  { weight: 2, arbitrary: fc.constantFrom(...INTERNAL, ...PROTOTYPE, ...GLOBS) },
  { weight: 3, arbitrary: fc.nat({ max: 50 }).map((n) => `public:${n}`) },
  { weight: 2, arbitrary: fc.nat({ max: 5 }).map((n) => `scores:${n}`) },
  { weight: 1, arbitrary: fc.nat({ max: 5 }).map((n) => `user:mallory:${n}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom('k'.repeat(257), 'k'.repeat(20_000), '') },
)
