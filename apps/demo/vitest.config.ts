import { mergeConfig } from 'vitest/config'
import { vitestProject } from '../../vitest.base.ts'

// Three processes and a browser need time on a busy machine.
export default mergeConfig(vitestProject('demo', { isolate: true }), { test: { globalSetup: './test/build-once.ts', testTimeout: 60_000 } })
