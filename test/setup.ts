import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { installOsls } from './infra/osls.ts'
import { ensureInstalled } from './support/databases/install.ts'
import { useOwnTempFolder } from './support/own-temp-folder.ts'

/**
 * Runs before all tests: builds the CLI that they run, and installs missing programs, and osls, if possible. Gives them a
 * temporary folder, and returns what removes it after the last one.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const [missing, noOsls] = await Promise.all([
    ensureInstalled([
      'postgres',
      'psql',
      'mariadb',
      'mariadb-client',
      'awscli',
      'faketime',
      'libnss-wrapper',
      'python-drivers',
      'java-drivers',
      'pgbouncer',
      'chromium',
      'prometheus',
    ]),
    installOsls(),
    promisify(execFile)(process.execPath, ['build.mjs']),
  ])
  for (const { tool, reason } of missing)
    process.stderr.write(`\n!!! ${tool} is missing, its tests are skipped: ${reason}\n\n`)
  if (noOsls) process.stderr.write(`\n!!! osls is missing, its tests are skipped: ${noOsls}\n\n`)
  return useOwnTempFolder()
}
