import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lookForProgram } from '../databases/programs.ts'
import { CLI } from './jeton.ts'

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Makes a folder in `folder` for the front of PATH, and gives that PATH: `jeton` is the built CLI, and `psql`, where there
 * is one, trusts the stand-in's CA, for the bundle that jeton gives is AWS's own.
 */
export async function pathWithShims({ folder, caFile }: { folder: string; caFile: string }): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  const put = (name: string, line: string) =>
    writeFile(join(bin, name), `#!/bin/sh\n${line} "$@"\n`, { mode: 0o755 })
  await put('jeton', `exec ${quoted(process.execPath)} ${quoted(CLI)}`)
  const psql = await lookForProgram('psql')
  if (psql) await put('psql', `PGSSLROOTCERT=${quoted(caFile)} exec ${quoted(psql)}`)
  return `${bin}:${process.env.PATH ?? ''}`
}

/** Whether a program is here that only an example needs. Says loudly where it is not. */
export async function hasProgram(name: string): Promise<boolean> {
  if (await lookForProgram(name)) return true
  process.stderr.write(`\n!!! TESTS DID NOT RUN for want of ${name}\n\n`)
  return false
}
