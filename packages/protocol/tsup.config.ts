import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  internal: 'src/internal.ts',
  schemas: 'src/schemas/index.ts',
})
