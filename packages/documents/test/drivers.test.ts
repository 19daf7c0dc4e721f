import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Runs a module in a process in which a package is not installed. Returns what it prints. */
async function without(name: string, code: string): Promise<string> {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ resolve: (specifier, context, next) => {
      if (specifier === '${name}') throw new Error('${name} is not installed')
      return next(specifier, context)
    } })`
  const args = [
    '--conditions=@tutti/source',
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    '--input-type=module',
    '-e',
    code,
  ]
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname })
  return stdout.trim()
}

test('[D9] only the driver of the database in use has to be installed', async () => {
  const pglite = `import { pgliteStore } from '@tutti/documents/server'
    const store = pgliteStore()
    console.log(await store.create({ id: 'a' }))
    await store.close()`
  const postgres = `import { postgresStore } from '@tutti/documents/server'
    const store = postgresStore({ url: 'postgres://127.0.0.1:1/none' })
    console.log(await store.create({ id: 'a' }).catch(({ code }) => code))
    await store.close()`
  expect(await Promise.all([without('postgres', pglite), without('@electric-sql/pglite', postgres)])).toEqual(['true', 'UNAVAILABLE'])
})
