export { coordinationContract } from './coordination-contract.ts'
export type { CoordinationUnderTest, CreateCoordination } from './coordination-under-test.ts'
