import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  contract: 'src/contract.ts',
  testing: 'src/testing/index.ts',
})
