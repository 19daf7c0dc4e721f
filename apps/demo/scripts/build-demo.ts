import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { DEMO_FOLDER } from './demo-folder.ts'

const ROOT = join(DEMO_FOLDER, '../..')
const STAMP = join(DEMO_FOLDER, '.output/built-from')
const INPUTS = ['apps/demo/app', 'apps/demo/server', 'apps/demo/vite.config.ts', 'apps/demo/package.json', 'packages', 'pnpm-lock.yaml']

/** Builds `.output`, unless it was built from the same files. Rejects with the output of the build if it fails. */
export async function buildDemo(say: (line: string) => void = () => {}): Promise<void> {
  const stamp = hashOf(INPUTS.flatMap((input) => filesOf(join(ROOT, input))))
  if (readStamp() === stamp) return
  say('Building the demo, which takes about ten seconds …')
  await viteBuild()
  writeFileSync(STAMP, stamp)
}

function viteBuild(): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(process.execPath, [vite, 'build'], { cwd: DEMO_FOLDER, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`The demo could not be built:\n${output}`))))
  })
}

function readStamp(): string | undefined {
  try {
    return readFileSync(STAMP, 'utf8')
  } catch {
    return undefined
  }
}

/** The source files of the application, without generated ones. */
function filesOf(path: string): string[] {
  if (/\.\w+$/.test(path)) return [path]
  return readdirSync(path, { withFileTypes: true }).flatMap((item) => {
    if (/^(node_modules|dist|test|\..*)$/.test(item.name)) return []
    const inside = join(path, item.name)
    if (item.isDirectory()) return filesOf(inside)
    return /\.(ts|vue|css|json|yaml)$/.test(item.name) ? [inside] : []
  })
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256').update(process.version)
  for (const file of files.toSorted()) hash.update(`\0${relative(ROOT, file)}\0`).update(readFileSync(file))
  return hash.digest('hex')
}
