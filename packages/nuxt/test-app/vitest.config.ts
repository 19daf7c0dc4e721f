import { mergeConfig } from 'vitest/config'
import { vitestProject } from '../../../vitest.base.ts'

/** The tests that need an installed Nuxt application: `pnpm run test:nuxt`. One after another, because they share its folder. */
export default mergeConfig(vitestProject('nuxt-app'), {
  root: import.meta.dirname,
  test: { include: ['*.test.ts'], fileParallelism: false, testTimeout: 300_000, hookTimeout: 300_000 },
})
