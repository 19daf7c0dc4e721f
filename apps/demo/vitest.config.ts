import { mergeConfig } from 'vitest/config'
import { vitestProject } from '../../vitest.base.ts'

export default mergeConfig(vitestProject('demo'), { test: { globalSetup: './test/build-once.ts' } })
