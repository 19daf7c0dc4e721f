import { afterAll, beforeAll, describe } from 'vitest'
import type { CoordinationUnderTest, CreateCoordination } from './coordination-under-test.ts'
import { commandsContract } from './commands-contract.ts'
import { cursorsContract } from './cursors-contract.ts'
import { limitsContract } from './limits-contract.ts'
import { locksContract } from './locks/locks-contract.ts'
import { membersContract } from './members-contract.ts'

/**
 * The suite that every `Coordination` passes, in a vitest file: `coordinationContract('mine', async (options) => ({ … }))`.
 * Most tests share two instances, with rooms of their own.
 */
export function coordinationContract(name: string, create: CreateCoordination): void {
  describe(name, () => {
    let made: CoordinationUnderTest | undefined
    beforeAll(async () => {
      made = await create({ graceMs: 300 })
    })
    afterAll(async () => made?.dispose())
    const use = (): CoordinationUnderTest => {
      if (made === undefined) throw new Error('The instances are made before the tests run.')
      return made
    }
    membersContract(use)
    commandsContract(use)
    cursorsContract(use)
    locksContract(use)
    limitsContract(create)
  })
}
