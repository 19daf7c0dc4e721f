import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  node: 'src/node/index.ts',
  nitro: 'src/nitro/index.ts',
  nitro2: 'src/nitro2/index.ts',
})
