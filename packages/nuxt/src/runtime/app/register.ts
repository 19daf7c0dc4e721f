/**
 * The register of `@tutti/vue`, to which the module adds `schema`, the type of `shared/realtime.ts`. It is augmented by the path of this
 * file: the application may have no access to `@tutti/vue`, a dependency of this package.
 */
export type { RealtimeRegister } from '@tutti/vue'
