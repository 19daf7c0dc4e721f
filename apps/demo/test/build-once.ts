import { buildDemo } from '../scripts/build-demo.ts'

/** Before the tests of all files: they share what was built. */
export const setup = (): Promise<void> => buildDemo()
