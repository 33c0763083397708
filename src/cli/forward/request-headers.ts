import { readFile, stat } from 'node:fs/promises'
import { invalidUsage, temporaryFailure } from '../../client/errors.ts'
import type { Environment } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'

/** The value of the header `Authorization`, a secret. */
export const AUTHORIZATION_VARIABLE = 'JETON_FORWARD_AUTHORIZATION'

/** Returns the headers that the operator gave. Called for each request, so that a credential may be replaced. */
export type ReadHeaders = () => Promise<Headers>

const LINE = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/
/** What HTTP itself needs another way. https://www.rfc-editor.org/rfc/rfc9110 */
const OWN = [
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]

export interface HeaderSources {
  /** A file with a header on each line, as in `Authorization: Splunk …`. */
  headerFile: string | undefined
  env: Environment
}

/**
 * Returns the function that reads the headers. It rejects with CallerError, which quotes none: of exit code 2 for a line that is
 * no header, temporary for a file that cannot be read.
 */
export function createReadHeaders({ headerFile, env }: HeaderSources): ReadHeaders {
  return async () => {
    const headers = new Headers()
    const authorization = env[AUTHORIZATION_VARIABLE]?.trim()
    if (authorization)
      set(headers, { name: 'authorization', value: authorization, where: AUTHORIZATION_VARIABLE })
    if (headerFile === undefined) return headers
    const cannotBeRead = (cause: unknown) =>
      temporaryFailure(`--header-file: ${headerFile} cannot be read${systemCodeNote(cause)}`)
    const isFile = await stat(headerFile).then(
      stats => stats.isFile(),
      cause => {
        throw cannotBeRead(cause)
      },
    )
    // the second read of a pipe, as of a shell's <(…), would have no credential
    if (!isFile)
      throw invalidUsage(`--header-file: ${headerFile} is no regular file: it is read for each request`)
    const text = await readFile(headerFile, 'utf8').catch(cause => {
      throw cannotBeRead(cause)
    })
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const where = `--header-file: line ${index + 1} of ${headerFile}`
      const [, name, value = ''] = LINE.exec(line) ?? []
      if (name === undefined) throw invalidUsage(`${where} is not a header: write NAME: VALUE`)
      set(headers, { name, value, where })
    }
    return headers
  }
}

function set(headers: Headers, { name, value, where }: { name: string; value: string; where: string }): void {
  if (OWN.includes(name.toLowerCase())) throw invalidUsage(`${where}: the header ${name} is jeton's own`)
  // fetch would quote the value
  if (!/^[\t -~\u0080-\u00ff]*$/.test(value))
    throw invalidUsage(`${where} has a character in it that no header may have`)
  headers.set(name, value)
}
