import { mergeConfig } from 'vitest/config'
import { vitestProject } from '../../vitest.base.ts'

export default mergeConfig(vitestProject('demo', { isolate: true }), { test: { globalSetup: './test/build-once.ts' } })
