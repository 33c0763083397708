import { readFile } from 'node:fs/promises'

/**
 * Leaves out what no command uses: what commander brings for commands that are programs of their own, and what the AWS SDK
 * loads for streams of events.
 */
export const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      importer.includes('commander') ? { path, namespace: 'left-out' } : undefined,
    )
    onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ path }) => ({ path, namespace: 'left-out' }))
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Functions and classes of built-ins that no start needs. Not all that Node has, for that differs between its releases. */
const LOADED_BY_CALLS = {
  'node:crypto': [
    ...['createHash', 'createHmac', 'getRandomValues', 'hash', 'randomBytes', 'randomUUID'],
    ...['timingSafeEqual', 'X509Certificate'],
  ],
  'node:dns/promises': ['lookup'],
  'node:fs/promises': [
    ...['access', 'chmod', 'chown', 'copyFile', 'link', 'lstat', 'mkdir', 'mkdtemp', 'open', 'readdir'],
    ...['readFile', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'symlink', 'unlink', 'utimes'],
    'writeFile',
  ],
}

/** Loads a built-in when one of these is called. An import of another name of it fails to build: add it to the list. */
export const loadedByCalls = {
  name: 'loaded-by-calls',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' && path in LOADED_BY_CALLS
        ? { path, namespace: 'loaded-by-calls' }
        : undefined,
    )
    onLoad({ filter: /./, namespace: 'loaded-by-calls' }, ({ path }) => {
      const load = `const load = () => process.getBuiltinModule('${path}')`
      const stub = name =>
        /^[A-Z]/.test(name)
          ? `export function ${name}(...args) { return new (load().${name})(...args) }`
          : `export function ${name}(...args) { return load().${name}(...args) }`
      return { contents: [load, ...LOADED_BY_CALLS[path].map(stub)].join('\n') }
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
