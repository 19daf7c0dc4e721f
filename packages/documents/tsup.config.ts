import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  client: 'src/client/document.ts',
  offline: 'src/offline/document-storage.ts',
  versions: 'src/client/versions.ts',
  server: 'src/server/index.ts',
})
