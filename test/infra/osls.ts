import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const INFRA = fileURLToPath(new URL('../../infra/', import.meta.url))
/** What `npm ci --prefix infra` installs: a third of all packages, of which only deploying and these tests have a use. */
export const OSLS = `${INFRA}node_modules/osls`

const PATIENCE_MS = 5 * 60_000

/** Installs osls as its lock file says, unless it is there. Returns why it is still missing, if it is. Never rejects. */
export async function installOsls(): Promise<string | undefined> {
  if (await isInstalled()) return undefined
  return promisify(execFile)('npm', ['ci', '--prefix', INFRA, '--no-audit', '--no-fund'], {
    timeout: PATIENCE_MS,
  })
    .then(isInstalled)
    .then(
      installed => (installed ? undefined : 'npm ci --prefix infra installed another version'),
      (cause: Error) =>
        `npm ci --prefix infra failed: ${/npm error .*/.exec(cause.message)?.[0] ?? cause.message}`,
    )
}

/**
 * Returns whether tests that package the stack can run. If osls is missing, says so on stderr and returns false; with CI=true
 * it always returns true, so that those tests fail instead of being skipped unseen.
 */
export async function canPackage(): Promise<boolean> {
  if (process.env.CI === 'true' || (await isInstalled())) return true
  process.stderr.write('\n!!! TESTS SKIPPED, missing: osls (npm ci --prefix infra)\n\n')
  return false
}

async function isInstalled(): Promise<boolean> {
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'))
  const installed = await read(`${OSLS}/package.json`).catch(() => undefined)
  const lock = await read(`${INFRA}package-lock.json`)
  return installed?.version === lock.packages['node_modules/osls'].version
}
