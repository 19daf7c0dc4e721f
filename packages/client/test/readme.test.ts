import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startRealServer } from './real-server.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

test('[README] the example runs unchanged on a real server and prints its output', async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const server = await startRealServer()
  try {
    const args = ['--conditions=@tutti/source', '--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', code]
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd,
      env: { ...process.env, TUTTI_URL: server.url },
      timeout: 120_000,
    })
    expect(stderr).toBe('')
    const printed = stdout.trim().split('\n')
    const promised = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, output]) => output)
    expect(promised).toHaveLength(4)
    expect(printed.filter((line) => !/[…✓]$/.test(line))).toEqual(promised)
    expect(printed.filter((line) => /[…✓]$/.test(line))).toEqual([
      'Plan …',
      'Plan ✓',
      'Our plan …',
      'Our plan ✓',
      'Our plan …',
      'Our plan ✓',
    ])
  } finally {
    await server.close()
  }
})
