import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'

const ROOT = new URL('../../', import.meta.url)
const require = createRequire(import.meta.url)
/** Fastify's own. */
const { satisfies } = createRequire(require.resolve('fastify'))('semver') as {
  satisfies(version: string, range: string): boolean
}

interface Manifest {
  overrides?: object
  allowScripts?: Record<string, boolean>
}

interface Locked {
  version: string
  engines?: { node?: string }
  hasInstallScript?: boolean
  deprecated?: string
}

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(new URL(path, ROOT), 'utf8')) as T
}

/** What npm 10 and 11 would print when somebody installs: a newcomer reads it first. */
describe.each(['', 'infra/'])('npm ci in ./%s warns of nothing, because', async folder => {
  const { allowScripts = {} } = await readJson<Manifest>(`${folder}package.json`)
  const { packages } = await readJson<{ packages: Record<string, Locked> }>(`${folder}package-lock.json`)
  const installed = Object.entries(packages).filter(([path]) => path !== '')
  const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

  test.each(['20.19.0', '22.13.0', '24.0.0'])('every package runs on Node %s', version => {
    const others = installed.filter(([, { engines }]) => !satisfies(version, engines?.node ?? '*'))
    expect(others.map(([path, { engines }]) => [path, engines?.node])).toEqual([])
  })

  test('each install script is allowed or denied, and nothing else is', () => {
    const scripts = installed
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => nameOf(path))
    expect([...new Set(scripts)].sort()).toEqual(Object.keys(allowScripts).sort())
  })

  test('nothing is settled by overrides, which npm ignores for whoever installs jeton as a package', async () => {
    const { overrides } = await readJson<Manifest>(`${folder}package.json`)
    expect(overrides).toBeUndefined()
  })

  test('no package is deprecated', () => {
    expect(installed.filter(([, { deprecated }]) => deprecated).map(([path]) => path)).toEqual([])
  })
})
