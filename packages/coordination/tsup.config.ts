import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  contract: 'src/contract.ts',
  logs: 'src/logs/index.ts',
  testing: 'src/testing/index.ts',
})
