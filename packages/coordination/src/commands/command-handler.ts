import type { CoordinationSettings } from '../coordination-options.ts'
import type { Commands, ReceivedCommand } from '../contract.ts'

/** The result of a command: a text, `null` where it failed, `undefined` where this process handles no commands. */
export type CommandResult = string | null | undefined

/** The handler of one process, if it has one. */
export interface CommandHandler {
  readonly handle: Commands['handle']
  /** Calls the handler at once. Never rejects. */
  run(command: ReceivedCommand): Promise<CommandResult>
}

/** Makes a place for a handler. */
export function createCommandHandler(onError: CoordinationSettings['onError']): CommandHandler {
  let current: Parameters<Commands['handle']>[0] | undefined
  return {
    handle: (handler) => {
      current = handler
      return () => {
        if (current === handler) current = undefined
      }
    },
    run: async (command) => {
      try {
        return await current?.(command)
      } catch (error) {
        onError(error, { stage: 'command' })
        return null
      }
    },
  }
}
