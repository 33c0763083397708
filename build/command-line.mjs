import { build } from 'esbuild'
import { splitOptions } from './options.mjs'

/** Leads to the commands for callers in the one file (build/client.mjs), which starts in half the time. */
const callersInOneFile = {
  name: 'callers-in-one-file',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/client\.ts$/ }, ({ importer }) =>
      importer.endsWith('cli.ts') ? { path: './jeton.mjs', external: true } : undefined,
    )
  },
}

/** Builds dist/cli.mjs, package.json's `bin`, which loads the package's dependencies from node_modules. */
export async function buildCommandLine() {
  await build({
    ...splitOptions,
    entryPoints: { cli: 'handlers/cli.ts' },
    outdir: 'dist',
    packages: 'external',
    sourcemap: true,
    plugins: [callersInOneFile],
  })
}
