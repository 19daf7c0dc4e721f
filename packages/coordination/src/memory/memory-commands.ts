import { RealtimeError } from '@tutti/protocol'
import { createCommandHandler } from '../commands/command-handler.ts'
import { createOpenCalls } from '../commands/open-calls.ts'
import type { Commands } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'

/** Commands of the only instance. */
export interface MemoryCommands extends Commands {
  close(): void
}

/** Makes the commands of one process. */
export function createMemoryCommands(instanceId: string, onError: CoordinationSettings['onError']): MemoryCommands {
  const handler = createCommandHandler(onError)
  const calls = createOpenCalls()
  let isClosed = false
  return {
    ready: Promise.resolve(),
    send: async (text, { timeoutMs, confirm }) => {
      if (isClosed) throw new RealtimeError('CLOSED')
      const call = calls.open(timeoutMs)
      call.sent(confirm ? [instanceId] : [])
      void handler.run({ text, ageMs: 0, isLate: false }).then((result) => calls.receive(instanceId, { id: call.id, result }))
      return call.result
    },
    handle: handler.handle,
    close: () => {
      isClosed = true
      calls.close()
    },
  }
}
