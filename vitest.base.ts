import { defineProject } from 'vitest/config'
import { cleanEnvironment } from './vitest.environment.ts'

// Before Vitest reads it. All configurations import this file.
cleanEnvironment(process.env)

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
      ...{ testTimeout: 30_000, hookTimeout: 60_000, maxWorkers: 4, isolate },
    },
  })
