import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually, fillPglite, freePort, startExample, type Example } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { pgliteStore } from '../src/server/index.ts'

const run = promisify(execFile)

/** The module that makes an import of a package fail, as where it is not installed. */
const without = (name: string): string => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve: (specifier, context, next) => {
      if (specifier === '${name}') throw new Error('${name} is not installed')
      return next(specifier, context)
    } })`
  return `data:text/javascript,${encodeURIComponent(hook)}`
}

test('[D9] without PGlite installed, PostgreSQL is used', async () => {
  const code = `import { postgresStore } from '@tutti/documents/server'
    const store = postgresStore({ url: 'postgres://127.0.0.1:1/none' })
    console.log(await store.create({ id: 'a' }).catch(({ code }) => code))
    await store.close()`
  const hook = without('@electric-sql/pglite')
  const args = ['--conditions=@tutti/source', '--import', hook, '--input-type=module', '-e', code]
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname })
  expect(stdout.trim()).toBe('UNAVAILABLE')
})

test('[D9] without pg installed, the examples of the README run on PGlite', async () => {
  const port = String(await freePort())
  const root = await mkdtemp(join(tmpdir(), 'tutti-readme-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const folder = join(root, 'documents')
  await fillPglite(folder, (made) => pgliteStore({ folder: made }))
  const start = (block: string, more = ''): Example => {
    const example = startExample(new URL('../README.md', import.meta.url), {
      block,
      env: { NODE_OPTIONS: `--import ${without('pg')}` },
      edit: (code) => code.replaceAll('3000', port).replace('.data/documents', folder) + more,
    })
    onTestFinished(async () => void (await example.stop()))
    return example
  }
  // PGlite takes 1 s of a processor to start, and a busy machine many times as long.
  const shown = (example: Example, line: string): Promise<void> =>
    eventually(() => expect(example.printed, server.complaints + example.complaints).toContain(line), { timeoutMs: 180_000 })
  const server = start('attachRealtime')
  await shown(start('notes.subscribe'), 'true 0 undefined')
  await shown(start('history.save', 'console.log(rows.length, preview.getText("text").toJSON())'), '1 Hello')
})
