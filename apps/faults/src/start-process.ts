import { spawnInstance, type Instance } from '@tutti/test-kit'
import type { PlantedBug } from './planted-bug.ts'

const PLANT = new URL('./plant-bug.ts', import.meta.url).href

/** Starts a process under test, with a bug in its sources if one is named. If it crashes, so does this process: no run survives it. */
export async function startProcess(script: URL, bug: PlantedBug | undefined, env: Record<string, string> = {}): Promise<Instance> {
  const planted = bug === undefined ? env : { ...env, PLANTED_BUG: bug, NODE_OPTIONS: `--import=${PLANT}` }
  const instance = await spawnInstance(script, { env: planted })
  void instance.crashed.then((how) => {
    throw new Error(`A process under test ended by itself (${how}).`)
  })
  return instance
}
