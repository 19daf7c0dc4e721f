import { defineConfig } from 'vitest/config'

// Tests read the sources (condition `@tutti/source`), so nothing has to be built first.
export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*'],
    reporters: process.env['TUTTI_REPORT'] ? ['default', ['json', { outputFile: process.env['TUTTI_REPORT'] }]] : ['default'],
  },
})
