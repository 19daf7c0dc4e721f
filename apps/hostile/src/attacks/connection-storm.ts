import { enter, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'
import { tokenOf } from '../tokens.ts'

/** Comes in without a token, with one that is no token, with one that somebody else has signed, and with the wrong protocol. */
export const connectionStorm: Attack = async (context) => {
  const tally = createTally()
  const forged = await tokenOf('alice', new TextEncoder().encode('guessed, and guessed wrong, of course'))
  const [head = '', body = ''] = forged.split('.')
  const unsigned = [Buffer.from('{"alg":"none"}').toString('base64url'), body, ''].join('.')
  const tries: Record<string, unknown> = {
    'no token': { protocol: 1 },
    'no auth': undefined,
    'not a token': { protocol: 1, token: 'x'.repeat(50_000) },
    'forged token': { protocol: 1, token: forged },
    'unsigned token': { protocol: 1, token: unsigned },
    'half a token': { protocol: 1, token: `${head}.${body}` },
    'a token that is no text': { protocol: 1, token: { sub: 'alice' } },
    'protocol 2': { protocol: 2, token: context.token },
    'protocol as text': { protocol: '1', token: context.token },
    'a clientId that is a path': { protocol: 1, token: context.token, clientId: '../alice' },
    'prototype in auth': JSON.parse('{"__proto__":{"token":"alice"},"constructor":{"prototype":{"id":"alice"}}}'),
    'user in auth': { protocol: 1, user: { id: 'alice' }, id: 'alice' },
  }
  for (const [name, auth] of Object.entries(tries)) {
    for (let place = 0; place < 10; place += 1) {
      try {
        const socket = await enter(context, {
          place,
          ...(typeof auth === 'object' && auth !== null ? { auth: { ...auth } } : { auth: {} }),
        })
        socket.disconnect()
        tally.add(`${name}: let in`)
      } catch (error) {
        const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined
        const code = typeof data === 'object' && data !== null && 'code' in data ? String(data.code) : 'refused'
        tally.add(`${name}: ${code}`)
      }
    }
  }
  return tally.counts
}
