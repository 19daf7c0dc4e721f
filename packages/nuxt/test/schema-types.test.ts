import { expect, test } from 'vitest'
import { schemaTypes } from '../src/schema-types.ts'

test('[X6] the types of the application register its schema by relative paths', () => {
  const types = schemaTypes({
    folder: '/app/.nuxt/types',
    register: '/app/node_modules/@tutti/vue/dist/index.js',
    schema: '/app/shared/realtime.ts',
  })
  expect(types).toContain('declare module "../../node_modules/@tutti/vue/dist/index"')
  expect(types).toContain('schema: typeof import("../../shared/realtime").default')
})

test('[X6] without a schema nothing is registered', () => {
  expect(schemaTypes({ folder: '/app/.nuxt/types', register: '/r', schema: undefined })).toBe('export {}\n')
})
