/** The part of a `.cpuprofile` that is read. */
export interface CpuProfile {
  nodes: readonly ProfileNode[]
  samples: readonly number[]
  /** Microseconds from one sample to the next. */
  timeDeltas: readonly number[]
}

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
}

/** Time that was spent in something itself, not in what it called. */
export interface SelfTime {
  name: string
  ms: number
}

/** Self-times, the longest first. */
export interface ProfileSummary {
  totalMs: number
  /** Without idle time and the profiler's own. */
  busyMs: number
  packages: readonly SelfTime[]
  files: readonly SelfTime[]
  functions: readonly SelfTime[]
}

/** Starting a profile takes hundreds of milliseconds, which are in the profile. */
const INSPECTOR = 'node:inspector'

/** Sums up the self-time of a profile by package, file and function. */
export function summarizeProfile({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const packages = new Map<string, number>()
  const files = new Map<string, number>()
  const functions = new Map<string, number>()
  let totalMs = 0
  let busyMs = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const ms = (timeDeltas[index] ?? 0) / 1000
    totalMs += ms
    if (frame === undefined || frame.functionName === '(idle)' || frame.url === INSPECTOR) continue
    busyMs += ms
    const { packageName, file } = placeOf(frame.url, frame.functionName)
    const add = (times: Map<string, number>, name: string): void => void times.set(name, (times.get(name) ?? 0) + ms)
    add(packages, packageName)
    add(files, file)
    const functionName = frame.functionName || '(anonymous)'
    add(functions, frame.url === '' ? functionName : `${functionName}  ${file}:${frame.lineNumber + 1}`)
  }
  return { totalMs, busyMs, packages: ordered(packages), files: ordered(files), functions: ordered(functions) }
}

const ordered = (times: ReadonlyMap<string, number>): SelfTime[] =>
  [...times].map(([name, ms]) => ({ name, ms })).toSorted((a, b) => b.ms - a.ms)

/** The package of a script and a short name of its file. Native code and the garbage collector have no script. */
function placeOf(url: string, functionName: string): { packageName: string; file: string } {
  if (url === '') {
    const native = functionName.startsWith('(') ? functionName : '(native)'
    return { packageName: native, file: native }
  }
  if (url.startsWith('node:')) return { packageName: 'node', file: url }
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url)
  if (installed !== null) return { packageName: installed[1] ?? '', file: `${installed[1]}/${installed[2]}` }
  const own = /\/((?:packages|apps)\/[^/]+)\/(.*)$/.exec(url)
  if (own !== null) return { packageName: own[1] ?? '', file: `${own[1]}/${own[2]}` }
  return { packageName: url, file: url }
}
