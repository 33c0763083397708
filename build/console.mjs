import { writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { noticesOf } from './notices.mjs'

const SOURCES = ['console.ts', 'databases.ts', 'explain.ts', 'decode.ts', 'console.css', 'icon.svg']

/** Builds dist/console/: what the console's pages load, and the licences of what is in it. */
export async function buildConsole() {
  const { metafile } = await build({
    entryPoints: SOURCES.map(name => `src/console/browser/${name}`),
    loader: { '.svg': 'copy' },
    outdir: 'dist/console',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    metafile: true,
    // so that paths are the same where node_modules is a link
    preserveSymlinks: true,
  })
  await writeFile('dist/console/NOTICES.txt', await noticesOf([metafile]))
}
