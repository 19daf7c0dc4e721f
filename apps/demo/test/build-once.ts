import { buildDemo } from '../scripts/build-demo.ts'

/** Before the tests of all files, which share the build. */
export const setup = (): Promise<void> => buildDemo()
