import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the migrations, beside the folder of this file: `src`, or `dist` after a build. */
export const MIGRATIONS_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../migrations')
