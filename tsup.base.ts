import { defineConfig, type Options } from 'tsup'

/** The one way packages are built: ESM with types, nothing bundled that the user can install. */
export const tsupConfig = (entry: Record<string, string>, options: Options = {}) =>
  defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    dts: { compilerOptions: { customConditions: [], noEmit: false } },
    clean: true,
    sourcemap: true,
    treeshake: true,
    external: [/^node:/],
    removeNodeProtocol: false,
    ...options,
  })
