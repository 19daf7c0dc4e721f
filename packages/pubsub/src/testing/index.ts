export type { PubSubHarness } from './fixture.ts'
export { pubSubContract } from './pub-sub-contract.ts'
