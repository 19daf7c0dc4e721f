import { setPriority } from 'node:os'
import { serveInstance } from '@tutti/test-kit/instance'
import { ATTACKS, type AttackName } from './attacks/index.ts'
import type { AttackContext } from './attacker.ts'

// The attacker, in a separate process. A real attacker has a separate machine: here it must not take CPU time from the server.
setPriority(19)

serveInstance(
  {},
  {
    attack: async (name: AttackName, context: Omit<AttackContext, 'receive'>) => {
      let leaks = 0
      const receive = (message: unknown): void => {
        if (textOf(message).includes(context.canary)) leaks += 1
      }
      const counts = await ATTACKS[name]({ ...context, receive })
      return { counts, leaks }
    },
  },
)

/** The received message as searchable text; bytes as they are. */
function textOf(message: unknown): string {
  return JSON.stringify(message, (_name, value: unknown) => (Buffer.isBuffer(value) ? value.toString('latin1') : value)) ?? ''
}
