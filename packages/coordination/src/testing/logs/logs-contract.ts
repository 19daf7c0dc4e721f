import { afterAll, beforeAll, describe } from 'vitest'
import { gapsContract } from './gaps-contract.ts'
import { groupsContract } from './groups-contract.ts'
import type { LogsUnderTest } from './logs-under-test.ts'
import { randomGroupsContract } from './random-groups-contract.ts'
import { randomLogsContract } from './random-logs-contract.ts'
import { recordsContract } from './records-contract.ts'

/**
 * The suite that every `Logs` passes, in a vitest file: `logsContract('my logs', async () => ({ … }))`. One implementation serves
 * all tests, each of which uses a pattern of its own. `withoutGroups`: it has none.
 */
export function logsContract(name: string, create: () => Promise<LogsUnderTest>, { withoutGroups = false } = {}): void {
  describe(name, () => {
    let made: LogsUnderTest | undefined
    beforeAll(async () => {
      made = await create()
    })
    afterAll(async () => made?.dispose())
    const use = (): LogsUnderTest => {
      if (made === undefined) throw new Error('The logs are made before the tests run.')
      return made
    }
    recordsContract(use)
    gapsContract(use)
    randomLogsContract(use)
    if (withoutGroups) return
    groupsContract(use)
    randomGroupsContract(use)
  })
}
