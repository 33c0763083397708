import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Makes a script of this folder run by Node alone, and returns its path. `tsx` would give every function its name when it is
 * created, which takes longer than much of what is measured.
 */
export async function bundleScript(name: string): Promise<string> {
  const outfile = fileURLToPath(new URL(`../../dist/bench/${name}.mjs`, import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  })
  return outfile
}
