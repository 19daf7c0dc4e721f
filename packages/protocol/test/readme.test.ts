import { execFile } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('[README] the example runs unchanged and prints its documented output', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? ''
  // Inside the package, so that it imports the package by its own name.
  const file = fileURLToPath(new URL(`readme-example-${process.pid}.ts`, import.meta.url))
  writeFileSync(file, code)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions', '@tutti/source', file])
    const promised = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, output]) => output)
    expect(stdout.trim().split('\n')).toEqual(promised)
    expect(promised).toHaveLength(3)
  } finally {
    rmSync(file)
  }
})
