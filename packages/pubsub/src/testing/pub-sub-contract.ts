import { afterEach, beforeEach, describe } from 'vitest'
import type { PubSub } from '../contract.ts'
import { deliveryRules } from './delivery-rules.ts'
import { failureRules } from './failure-rules.ts'
import { ready, type Fixture, type PubSubHarness } from './fixture.ts'

/** The requirements of every `PubSub` (N2 to N7), as a vitest suite: `pubSubContract('MyPubSub', async () => ({ … }))`. */
export function pubSubContract(name: string, create: () => Promise<PubSubHarness>): void {
  describe(`[N9] ${name} passes the suite of a PubSub`, () => {
    let harness: PubSubHarness
    let instances: PubSub[]

    beforeEach(async () => {
      harness = await create()
      instances = []
    })
    afterEach(async () => {
      await Promise.all(instances.map((instance) => instance.dispose()))
      await harness.close()
    })

    const fixture: Fixture = {
      get harness() {
        return harness
      },
      connect: async (options = {}) => {
        const instance = harness.connect(options)
        instances.push(instance)
        await ready(instance)
        return instance
      },
    }
    deliveryRules(fixture)
    failureRules(fixture)
  })
}
