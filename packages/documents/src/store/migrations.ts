/** The folder of the migrations, beside the sources and beside the built files. */
export const MIGRATIONS = new URL('../../migrations', import.meta.url)
