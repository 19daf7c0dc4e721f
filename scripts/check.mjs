// `pnpm run check`: all static checks. Every step runs, also after a failure; the output of failed steps is shown, and
// any failure makes the exit code 1.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const packed = mkdtempSync(join(tmpdir(), 'tutti-packed-'))

/** In order; `needs` names the step that this one depends on; `speaks` shows the output of a successful step. */
const steps = [
  { name: 'format', run: 'oxfmt --check .' },
  { name: 'lint', run: 'oxlint --type-aware --deny-warnings' },
  { name: 'idiom', run: 'node scripts/idiom.mjs' },
  { name: 'commits', run: 'node scripts/commits.mjs', speaks: true },
  { name: 'typecheck', run: 'turbo run typecheck --continue=always --output-logs=errors-only' },
  { name: 'public comments', run: 'node scripts/public-docs.mjs' },
  { name: 'rules have tests', run: 'vitest run --project examples spec.test' },
  { name: 'unused code', run: 'knip --no-config-hints' },
  { name: 'build', run: 'turbo run build --continue=dependencies-successful --output-logs=errors-only' },
  { name: 'public API', run: 'node scripts/api-report.mjs', needs: 'build' },
  { name: 'types with ioredis 5 and 6', run: 'node scripts/types-with-ioredis.mjs', needs: 'build' },
  { name: 'pack', run: `node scripts/pack.mjs ${packed}`, needs: 'build' },
  { name: 'publint', run: `for file in ${packed}/*.tgz; do publint run "$file" --strict || failed=1; done; exit $failed`, needs: 'pack' },
  {
    name: 'types as published',
    run: `attw="attw --profile esm-only --no-emoji"; for file in ${packed}/*.tgz; do $attw "$file" || failed=1; done; exit $failed`,
    needs: 'pack',
  },
  { name: 'imports as published', run: `node scripts/smoke-dist.mjs ${packed}`, needs: 'pack', speaks: true },
  { name: 'size', run: 'size-limit', needs: 'build', speaks: true },
]

const failures = []
for (const step of steps) {
  if (failures.includes(step.needs)) {
    failures.push(step.name)
    console.log(`-     ${step.name}: not run, because ${step.needs} failed`)
    continue
  }
  const started = performance.now()
  const { code, output } = await shell(step.run)
  console.log(`${code === 0 ? 'ok   ' : 'FAIL '} ${step.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  if (code !== 0) failures.push(step.name)
  if (code !== 0 || step.speaks) console.log(output.trim().replaceAll(/^/gm, '      '))
}
rmSync(packed, { recursive: true })
console.log(
  failures.length === 0
    ? `All ${steps.length} checks passed.`
    : `${failures.length} of ${steps.length} checks failed: ${failures.join(', ')}`,
)
process.exitCode = failures.length === 0 ? 0 : 1

function shell(command) {
  const env = {
    ...process.env,
    PATH: `${join(import.meta.dirname, '../node_modules/.bin')}:${process.env.PATH}`,
    TURBO_TELEMETRY_DISABLED: '1',
  }
  const child = spawn('sh', ['-c', command], { cwd: join(import.meta.dirname, '..'), env, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
