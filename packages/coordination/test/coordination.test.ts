import { createMemoryCoordination } from '../src/index.ts'
import { coordinationContract } from '../src/testing/index.ts'

coordinationContract('in memory', async (options) => {
  const coordination = createMemoryCoordination(options)
  return { coordination, other: coordination, dispose: () => coordination.close() }
})
