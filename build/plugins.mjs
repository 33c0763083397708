import { readFile } from 'node:fs/promises'

/** Leaves out what commander brings for commands that are programs of their own, which jeton has none of. */
export const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      importer.includes('commander') ? { path, namespace: 'left-out' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/**
 * Loads built-ins, of which only functions and classes are used, when one of these is called: a start needs none of them. What
 * else they have is not exported, and an import of it fails to build.
 */
export const loadedByCalls = {
  name: 'loaded-by-calls',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:((dns|fs)\/promises|crypto)$/ }, ({ path }) => ({
      path,
      namespace: 'loaded-by-calls',
    }))
    onLoad({ filter: /./, namespace: 'loaded-by-calls' }, ({ path }) => {
      const builtIn = process.getBuiltinModule(path)
      const names = Object.keys(builtIn).filter(name => typeof builtIn[name] === 'function')
      const member = name => `process.getBuiltinModule('${path}').${name}`
      const stub = name =>
        `export function ${name}(...args) { return new.target ? new (${member(name)})(...args) : ${member(name)}(...args) }`
      return { contents: names.map(stub).join('\n') }
    })
  },
}

/** Leaves nothing of package.json but what programs tell of it. */
export const versionAlone = {
  name: 'version-alone',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
      const { name, version } = JSON.parse(await readFile(path, 'utf8'))
      return { contents: JSON.stringify({ name, version }), loader: 'json' }
    })
  },
}
