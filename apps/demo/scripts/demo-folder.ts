import { join } from 'node:path'

/** The folder of this application. */
export const DEMO_FOLDER = join(import.meta.dirname, '..')

/** Where the built application begins. */
export const SERVER_FILE = join(DEMO_FOLDER, '.output/server/index.mjs')
