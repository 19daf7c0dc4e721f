export { stateStoreContract } from './state-store-contract.ts'
export type { StoreUnderTest } from './store-under-test.ts'
