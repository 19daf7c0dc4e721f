import { join } from 'node:path'

/** The folder of this application. */
export const DEMO_FOLDER = join(import.meta.dirname, '..')

/** The entry of the built application. */
export const SERVER_FILE = join(DEMO_FOLDER, '.output/server/index.mjs')
