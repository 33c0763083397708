import { writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { build } from 'esbuild'
import { licenseComment } from './notices.mjs'
import { options } from './options.mjs'

/** Whose functions alone are used: these built-ins are loaded with the first call. */
const LOADED_BY_CALLS = ['dns/promises', 'fs/promises']

/**
 * Takes built-ins from `process.getBuiltinModule`: an ES module has it as well as CommonJS, and it does not work out which
 * names a built-in exports, as `import` does.
 */
const builtIns = {
  name: 'built-ins',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /./ }, ({ path }) =>
      isBuiltin(path) ? { path: path.replace('node:', ''), namespace: 'built-in' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'built-in' }, ({ path }) => {
      const builtIn = `process.getBuiltinModule('node:${path}')`
      if (!LOADED_BY_CALLS.includes(path)) return { contents: `module.exports = ${builtIn}` }
      const names = Object.entries(process.getBuiltinModule(`node:${path}`)).flatMap(([name, value]) =>
        typeof value === 'function' ? name : [],
      )
      return {
        contents: names.map(n => `export const ${n} = (...args) => ${builtIn}.${n}(...args)`).join('\n'),
      }
    })
  },
}

/**
 * Replaces what packages bring and nothing here uses: of commander, commands that are programs of their own; of
 * https-proxy-agent, `debug`, which prints a proxy's password under `DEBUG=*`, and Kerberos, which imports a package by name.
 */
const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^(node:child_process|debug|proxy-agent-negotiate)$/ }, ({ path, importer }) =>
      importer.includes('node_modules') ? { path, namespace: 'left-out' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = () => () => {}' }))
  },
}

/** Bundles an entry with all that it uses. Returns the code, which needs nothing but Node, and esbuild's metafile. */
export async function bundle({ entry, format }) {
  const { metafile, outputFiles } = await build({
    ...options,
    entryPoints: [entry],
    format,
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    plugins: [leftOut, builtIns],
  })
  return { code: outputFiles[0].text, metafile }
}

/**
 * Bundles a program into one executable file that is complete in itself, with its licences at the end. It runs under any name,
 * whether Node takes it for an ES module or for CommonJS. Returns esbuild's metafile.
 */
export async function buildOneFile({ entry, outfile }) {
  const { code, metafile } = await bundle({ entry, format: 'iife' })
  await writeFile(outfile, code + (await licenseComment(metafile)), { mode: 0o755 })
  return metafile
}
