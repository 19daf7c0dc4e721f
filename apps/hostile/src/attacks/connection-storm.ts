import { codeOf, enter, type Attack } from '../attacker.ts'
import { createTally } from '../tally.ts'
import { tokenOf } from '../tokens.ts'

/** Connects without a token, with an invalid one, with one signed by another secret, and with the wrong protocol. */
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
  const end = performance.now() + context.forMs
  for (let place = 0; place === 0 || performance.now() < end; place += 1) {
    for (const [name, auth] of Object.entries(tries)) {
      try {
        const socket = await enter(context, {
          place,
          ...(typeof auth === 'object' && auth !== null ? { auth: { ...auth } } : { auth: {} }),
        })
        socket.disconnect()
        tally.add(`${name}: let in`)
      } catch (error) {
        tally.add(`${name}: ${codeOf(error)}`)
      }
    }
  }
  return tally.counts
}
