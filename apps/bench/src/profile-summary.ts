import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { summarizeProfile, type CpuProfile, type SelfTime } from './measure/summarize-profile.ts'

// Prints where the self-time of CPU profiles went: pnpm run bench:profile <file or folder>…

const TOP = { packages: 20, files: 25, functions: 30 } as const

const paths = process.argv.slice(2)
if (paths.length === 0) throw new TypeError('Name at least one .cpuprofile file or a folder of them.')

for (const file of (await Promise.all(paths.map(profilesIn))).flat()) {
  const profile: CpuProfile = JSON.parse(await readFile(file, 'utf8'))
  const { busyMs, totalMs, packages, files, functions } = summarizeProfile(profile)
  process.stdout.write(`\n${file}\n${busyMs.toFixed(0)} ms of ${totalMs.toFixed(0)} ms busy\n`)
  print('package', packages.slice(0, TOP.packages), busyMs)
  print('file', files.slice(0, TOP.files), busyMs)
  print('function', functions.slice(0, TOP.functions), busyMs)
}

async function profilesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter((name) => name.endsWith('.cpuprofile'))
    .toSorted()
    .map((name) => join(path, name))
}

function print(title: string, times: readonly SelfTime[], busyMs: number): void {
  process.stdout.write(`\n   ms      %  ${title}\n`)
  for (const { name, ms } of times) {
    process.stdout.write(`${ms.toFixed(1).padStart(7)} ${((ms / busyMs) * 100).toFixed(1).padStart(5)}  ${name}\n`)
  }
}
