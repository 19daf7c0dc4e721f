// Compiles an application against the types of @tutti/pubsub as they were built, and its source, with ioredis 5 and with 6.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const pubsub = join(root, 'packages/pubsub')
const compilerOptions = {
  ...{ strict: true, exactOptionalPropertyTypes: true, allowImportingTsExtensions: true, noEmit: true },
  ...{ target: 'es2023', lib: ['es2024'], module: 'nodenext', types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
}

for (const name of ['ioredis', 'ioredis-6']) {
  const home = mkdtempSync(join(tmpdir(), 'tutti-types-'))
  const modules = join(home, 'node_modules')
  mkdirSync(join(modules, '@tutti'), { recursive: true })
  symlinkSync(join(root, 'packages/protocol'), join(modules, '@tutti/protocol'))
  // Copied, so that the ioredis that it imports is looked for here.
  for (const part of ['dist', 'package.json']) cpSync(join(pubsub, part), join(modules, '@tutti/pubsub', part), { recursive: true })
  symlinkSync(join(pubsub, 'node_modules', name), join(modules, 'ioredis'))
  cpSync(join(pubsub, 'test/clients-app.ts'), join(home, 'test/app.ts'))
  cpSync(join(pubsub, 'src'), join(home, 'src'), { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['test', 'src'], exclude: ['src/testing'] }))
  const { status } = spawnSync('tsc', { cwd: home, stdio: 'inherit' })
  rmSync(home, { recursive: true })
  if (status !== 0) process.exitCode = 1
  console.log(`types with ${name}: ${status === 0 ? 'ok' : 'FAIL'}`)
}
