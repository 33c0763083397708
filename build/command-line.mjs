import { build } from 'esbuild'
import { splitOptions } from './options.mjs'

/** Builds dist/cli.mjs, package.json's `bin`, which loads the package's dependencies from node_modules. */
export async function buildCommandLine() {
  await build({
    ...splitOptions,
    entryPoints: { cli: 'handlers/cli.ts' },
    outdir: 'dist',
    packages: 'external',
    sourcemap: true,
  })
}
