import { relative } from 'node:path'

/** The file of types, in the build folder of an application. */
export const SCHEMA_TYPES = 'types/tutti.d.ts'

/**
 * Its source: adds the schema to the register of `@tutti/vue`, by which the composables are typed. Paths are relative to the file, so
 * that the build folder can be moved with the application.
 */
export function schemaTypes({ folder, register, schema }: { folder: string; register: string; schema: string | undefined }): string {
  if (schema === undefined) return 'export {}\n'
  return `declare module ${specifier(folder, register)} {
  interface RealtimeRegister {
    schema: typeof import(${specifier(folder, schema)}).default
  }
}
export {}
`
}

function specifier(folder: string, path: string): string {
  const file = relative(folder, path).replaceAll('\\', '/')
  return JSON.stringify((file.startsWith('.') ? file : `./${file}`).replace(/\.m?[jt]s$/, ''))
}
