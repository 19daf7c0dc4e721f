import { expect, test } from 'vitest'
import { pgliteStore } from '../src/server/index.ts'

test.each([{ folder: 5 }, { folders: '.data' }, null, '.data'])('[X9] pgliteStore refuses %o at once', (options) => {
  expect(() => pgliteStore(options as object)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
