export { coordinationContract } from './coordination-contract.ts'
export type { CoordinationUnderTest, CreateCoordination } from './coordination-under-test.ts'
export { logsContract } from './logs/logs-contract.ts'
export type { LogInstances, LogsUnderTest } from './logs/logs-under-test.ts'
