import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const INFRA = fileURLToPath(new URL('../../infra/', import.meta.url))
/** What `npm ci --prefix infra` installs: a third of all packages, of which only deploying and these tests have a use. */
export const OSLS = `${INFRA}node_modules/osls`

const PATIENCE_MS = 5 * 60_000
/** Without a network, npm would try for minutes. */
const RETRIES = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=1000']

/** Installs osls as its lock file says, unless it is there. Returns why it is still missing, if it is. Never rejects. */
export async function installOsls(): Promise<string | undefined> {
  if (await isInstalled()) return undefined
  process.stderr.write('osls is missing: installing it (npm ci --prefix infra)\n')
  const args = ['ci', '--prefix', INFRA, '--no-audit', '--no-fund', '--prefer-offline', ...RETRIES]
  return promisify(execFile)('npm', args, { timeout: PATIENCE_MS })
    .then(isInstalled)
    .then(
      installed => (installed ? undefined : 'npm ci --prefix infra installed another version'),
      (cause: Error) => `npm ci --prefix infra failed: ${reasonOf(cause)}`,
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

/** npm's last line names its log. */
function reasonOf({ message }: Error): string {
  const lines = message.trim().split('\n')
  return lines.filter(line => !line.includes('A complete log')).at(-1) ?? ''
}

async function isInstalled(): Promise<boolean> {
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'))
  const installed = await read(`${OSLS}/package.json`).catch(() => undefined)
  const lock = await read(`${INFRA}package-lock.json`)
  return installed?.version === lock.packages['node_modules/osls'].version
}
