import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, startServer, type NuxtServer } from '../test/nuxt-server.ts'

/** The folder with the installed packages. The tests use it one after another. */
const folder = process.env['TUTTI_NUXT_APP'] ?? ''
const NUXT = 'node_modules/nuxt/bin/nuxt.mjs'

/** The example, with the packages that `pnpm run test:nuxt` installed. */
export interface NuxtApp {
  readonly folder: string
  /** Runs a command to its end and returns its output; throws if it fails. */
  run(args: readonly string[]): Promise<string>
  /** Builds the application and copies `.output` to another folder, from which `serve` starts it. */
  build(): Promise<string>
  /** Starts an instance of the built application. */
  serve(env?: Record<string, string>): Promise<NuxtServer>
  /** Starts the dev server. */
  dev(env?: Record<string, string>): Promise<NuxtServer>
  remove(): Promise<void>
}

const EXAMPLE = fileURLToPath(new URL('../../../examples/nuxt', import.meta.url))
const MADE = new Set(['.nuxt', '.output', '.data', 'node_modules', 'package.json', 'package-lock.json'])

/** Puts the files of the example into the folder with the installed packages, and removes those of an earlier test. */
export async function createNuxtApp(): Promise<NuxtApp> {
  if (folder === '') throw new Error('Run these tests with `pnpm run test:nuxt`.')
  for (const name of await readdir(folder)) {
    if (!/^(node_modules|package.*json)$/.test(name)) await rm(join(folder, name), { recursive: true })
  }
  for (const name of await readdir(EXAMPLE)) {
    if (!MADE.has(name)) await cp(join(EXAMPLE, name), join(folder, name), { recursive: true })
  }
  const output = await mkdtemp(join(tmpdir(), 'tutti-nuxt-output-'))
  const run = async (args: readonly string[]): Promise<string> => {
    const { child, printed, exited } = startProcess({ cwd: folder, args })
    await exited
    if (child.exitCode !== 0) throw new Error(printed.join(''))
    return printed.join('')
  }
  return {
    folder,
    run,
    build: async () => {
      const printed = await run([NUXT, 'build'])
      await rm(output, { recursive: true })
      await cp(join(folder, '.output'), output, { recursive: true, verbatimSymlinks: true })
      await rm(join(folder, '.output'), { recursive: true })
      return printed
    },
    serve: (env) => startServer({ cwd: output, args: ['server/index.mjs'], ...(env && { env }) }),
    dev: (env) => startServer({ cwd: folder, args: [NUXT, 'dev', '--host', '127.0.0.1', '--port', '$PORT'], ...(env && { env }) }),
    remove: () => rm(output, { recursive: true, force: true }),
  }
}
