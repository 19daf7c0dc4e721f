import { spawnInstance, type Instance } from '@tutti/test-kit'
import type { PlantedBug } from './planted-bug.ts'

const PLANT = new URL('./plant-bug.ts', import.meta.url).href

/** Starts a process under test, with a bug in its sources if one is named. */
export const startProcess = (script: URL, bug: PlantedBug | undefined, env: Record<string, string> = {}): Promise<Instance> =>
  spawnInstance(script, { env: bug === undefined ? env : { ...env, PLANTED_BUG: bug, NODE_OPTIONS: `--import=${PLANT}` } })
