import { defineProject } from 'vitest/config'
import { cleanEnvironment } from './vitest.environment.ts'

// Before Vitest reads it. All configurations import this file.
cleanEnvironment(process.env)

/** Ends a test that hangs. Longer than any test takes on a machine that is busy with other work. */
const HANGING_MS = 240_000

/**
 * The one way packages are tested: on Node, from the sources. The files of a project share the modules of their workers, unless
 * `isolate` is true: that saves about half of the time.
 */
export const vitestProject = (name: string, { isolate = false } = {}) =>
  defineProject({
    resolve: { conditions: ['@tutti/source', 'node'] },
    ssr: { resolve: { conditions: ['@tutti/source', 'node'] } },
    test: {
      ...{ name, environment: 'node', include: ['test/**/*.test.ts'] },
      ...{ testTimeout: HANGING_MS, hookTimeout: HANGING_MS, maxWorkers: 6, isolate },
    },
  })
