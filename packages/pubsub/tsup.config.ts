import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  redis: 'src/redis/index.ts',
  testing: 'src/testing/index.ts',
})
