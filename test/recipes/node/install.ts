import { execFile } from 'node:child_process'
import { readFile, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Where the recipes' packages are, and `jeton/client` beside them. */
export const RECIPES = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const PATIENCE_MS = 5 * 60_000
/** Without a network, npm would try for minutes. */
const RETRIES = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=1000']

/**
 * Installs the drivers and ORMs as their lock file says, unless they are there, and returns whether they are. If not, says why on
 * stderr; with CI=true it then rejects, so that tests fail instead of being skipped unseen.
 */
export async function installRecipes(): Promise<boolean> {
  if (await isInstalled()) return true
  const args = ['ci', '--prefix', RECIPES, '--no-audit', '--no-fund', '--prefer-offline', ...RETRIES]
  const reason = await promisify(execFile)('npm', args, { timeout: PATIENCE_MS })
    .then(() => symlink(ROOT, `${RECIPES}node_modules/jeton`, 'dir'))
    .then(
      () => undefined,
      (cause: Error) => cause.message,
    )
  if (reason === undefined) return true
  if (process.env.CI === 'true') throw new Error(`npm ci --prefix test/recipes/node: ${reason}`)
  process.stderr.write(`\n!!! TESTS SKIPPED, missing: npm ci --prefix test/recipes/node (${reason})\n\n`)
  return false
}

/** The link comes last: where it is, all the rest is. */
async function isInstalled(): Promise<boolean> {
  const read = (path: string) => readFile(`${RECIPES}${path}`, 'utf8').then(JSON.parse, () => undefined)
  const [linked, lock, installed] = await Promise.all([
    read('node_modules/jeton/package.json'),
    read('package-lock.json'),
    read('node_modules/.package-lock.json'),
  ])
  const versions = (packages: Record<string, { version: string }>) =>
    JSON.stringify(
      Object.entries(packages ?? {})
        .filter(([path]) => path !== '' && path !== 'node_modules/jeton')
        .map(([path, { version }]) => `${path} ${version}`)
        .sort(),
    )
  return linked?.name === 'jeton' && versions(lock?.packages) === versions(installed?.packages)
}
