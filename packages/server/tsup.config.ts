import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  internal: 'src/internal.ts',
  node: 'src/http/node/index.ts',
  nitro: 'src/http/nitro/index.ts',
  nitro2: 'src/http/nitro2/index.ts',
  'redis-adapter': 'src/redis-adapter/index.ts',
  rooms: 'src/rooms/index.ts',
})
