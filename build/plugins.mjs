import { readFile } from 'node:fs/promises'

/**
 * Replaces what packages bring and no caller uses: of commander, commands that are programs of their own; of https-proxy-agent,
 * `debug`, which prints a proxy's password under `DEBUG=*`, and Kerberos, which imports a package by its name.
 */
export const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^(node:child_process|debug|proxy-agent-negotiate)$/ }, ({ path, importer }) =>
      importer.includes('node_modules') ? { path, namespace: 'left-out' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = () => () => {}' }))
  },
}

/** Loads built-ins that have nothing but functions when one of these is called: a start needs none. */
export const loadedByCalls = {
  name: 'loaded-by-calls',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:(dns|fs)\/promises$/ }, ({ path }) => ({ path, namespace: 'loaded-by-calls' }))
    onLoad({ filter: /./, namespace: 'loaded-by-calls' }, ({ path }) => {
      const builtIn = process.getBuiltinModule(path)
      const names = Object.keys(builtIn).filter(name => typeof builtIn[name] === 'function')
      const call = name =>
        `export const ${name} = (...args) => process.getBuiltinModule('${path}').${name}(...args)`
      return { contents: names.map(call).join('\n') }
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
