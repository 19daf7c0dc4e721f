import { afterAll, beforeAll, describe } from 'vitest'
import { changesContract } from './changes-contract.ts'
import { conditionsContract } from './conditions-contract.ts'
import { foreignContract } from './foreign-contract.ts'
import { guardsContract } from './guards-contract.ts'
import { incrementContract } from './increment-contract.ts'
import { lifetimeContract } from './lifetime-contract.ts'
import { listingContract } from './listing-contract.ts'
import { mutationsContract } from './mutations-contract.ts'
import { patchContract } from './patch-contract.ts'
import { randomContract } from './random-contract.ts'
import type { StoreUnderTest } from './store-under-test.ts'
import { versionsContract } from './versions-contract.ts'

/**
 * The suite that every `StateStore` passes, in a vitest file: `stateStoreContract('my store', async () => ({ … }))`. One store
 * serves all tests, each of which uses its own keys; the last test closes it.
 */
export function stateStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let made: StoreUnderTest | undefined
    beforeAll(async () => {
      made = await create()
    })
    afterAll(async () => made?.dispose())
    const use = (): StoreUnderTest => {
      if (made === undefined) throw new Error('The store is made before the tests run.')
      return made
    }
    versionsContract(use)
    conditionsContract(use)
    guardsContract(use)
    incrementContract(use)
    patchContract(use)
    mutationsContract(use)
    changesContract(use)
    foreignContract(use)
    listingContract(use)
    lifetimeContract(use)
    randomContract(use)
  })
}
