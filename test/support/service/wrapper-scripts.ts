import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lookForProgram } from '../../../src/dev/postgres/programs.ts'
import { CLI } from './jeton.ts'

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Writes wrapper scripts into a folder and returns a PATH that begins with it. `jeton` runs the built CLI. `psql`, if it is
 * installed, trusts the stand-ins' CA, because the bundle that jeton returns is AWS's own.
 */
export async function createPathWithWrappers({
  folder,
  caFile,
}: {
  folder: string
  caFile: string
}): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  const put = (name: string, line: string) =>
    writeFile(join(bin, name), `#!/bin/sh\n${line} "$@"\n`, { mode: 0o755 })
  await put('jeton', `exec ${quoted(process.execPath)} ${quoted(CLI)}`)
  const psql = await lookForProgram('psql')
  if (psql) await put('psql', `PGSSLROOTCERT=${quoted(caFile)} exec ${quoted(psql)}`)
  return `${bin}:${process.env.PATH ?? ''}`
}
