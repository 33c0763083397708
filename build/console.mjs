import { build } from 'esbuild'

/** Builds dist/console/: what the console's pages load. */
export async function buildConsole() {
  await build({
    entryPoints: ['console.ts', 'console.css', 'icon.svg', 'explain.ts', 'decode.ts'].map(
      name => `src/console/browser/${name}`,
    ),
    loader: { '.svg': 'copy' },
    outdir: 'dist/console',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // so that paths are the same where node_modules is a link
    preserveSymlinks: true,
  })
}
