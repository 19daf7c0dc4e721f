import type { ClientInternals } from '@tutti/client/internal'
import { createRealtimeClient } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createUpdateQueue } from '../src/client/update-queue.ts'

test('[D2] an update whose outcome is unknown is sent again on the same connection', async () => {
  const client = createRealtimeClient({ url: 'http://127.0.0.1:1' })
  onTestFinished(() => client.close())
  let sent = 0
  const internals: ClientInternals = client.internals
  vi.spyOn(internals.connection, 'request').mockImplementation((_name, _payload, answer) => {
    sent += 1
    if (sent === 1) answer({ error: new RealtimeError('OUTCOME_UNKNOWN') })
    else (answer as (outcome: { result: object }) => void)({ result: {} })
  })
  const queue = createUpdateQueue({
    internals,
    document: 'notes:1',
    session: 1,
    onChange: () => {},
    onRefused: (error) => expect.unreachable(error.message),
  })
  queue.start()
  queue.add(new Uint8Array([0, 0]))
  await eventually(() => expect([sent, queue.length]).toEqual([2, 0]), { timeoutMs: 10_000 })
})
