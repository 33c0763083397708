import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ensureInstalled } from './support/databases/install.ts'

/** Before all tests: the CLI is built, for they run the real one, and the real databases are there where they can be had. */
export default async function setup(): Promise<void> {
  await promisify(execFile)(process.execPath, ['build.mjs'])
  const missing = await ensureInstalled([
    'postgres',
    'psql',
    'mariadb',
    'mariadb-client',
    'awscli',
    'faketime',
  ])
  for (const { tool, reason } of missing) process.stderr.write(`\n!!! ${tool} is missing: ${reason}\n\n`)
}
