import { writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'

/** Methods with which a process lets the benchmark profile it. */
export interface Profiler {
  startProfile: () => Promise<void>
  /** Ends the profile and writes it to a file. */
  stopProfile: (file: string) => Promise<void>
}

/** A CPU profiler of this process. */
export function createProfiler(): Profiler {
  let session: Session | undefined
  return {
    startProfile: async () => {
      session = new Session()
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: 500 })
      await session.post('Profiler.start')
    },
    stopProfile: async (file) => {
      if (session === undefined) throw new Error('No profile was started.')
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      session = undefined
      await writeFile(file, JSON.stringify(profile))
    },
  }
}
