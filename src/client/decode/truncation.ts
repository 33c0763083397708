import { countText } from '../../lib/count-text.ts'
import type { TokenProblem } from './token-problem.ts'
import { REQUIRED_PARAMETERS, type TokenText } from './token-text.ts'

/** Software that cuts passwords, or refuses longer ones, by the most bytes that it keeps. */
interface Limit {
  readonly bytes: number
  readonly software: string
}

/**
 * Most count a byte for the end of the text, so that one byte less is left.
 * https://github.com/pgbouncer/pgbouncer/pull/362 https://github.com/pgbouncer/pgbouncer/pull/430
 * https://github.com/pgbouncer/pgbouncer/pull/675 https://github.com/pgagroal/pgagroal/issues/942
 * https://github.com/aws/amazon-redshift-odbc-driver/issues/46
 */
const LIMITS: readonly Limit[] = [
  { bytes: 80, software: "the password prompt of MySQL's and MariaDB's clients" },
  { bytes: 100, software: 'the password prompt of psql before 14' },
  { bytes: 128, software: 'PgBouncer before 1.11' },
  { bytes: 160, software: 'PgBouncer before 1.16' },
  { bytes: 256, software: 'pgagroal, pgexporter and pgmoneta before August 2026, and many forms and tables' },
  { bytes: 511, software: 'pam_exec' },
  { bytes: 996, software: 'PgBouncer 1.16' },
  { bytes: 1000, software: 'a column or a field of 1,000 characters' },
  { bytes: 1024, software: 'the ODBC driver of Redshift, pgagroal, and many buffers' },
  { bytes: 2048, software: 'PgBouncer from 1.17 to 1.25, and many buffers' },
  { bytes: 4096, software: 'a terminal, which takes no longer line' },
]
/** `.pgpass`: host, port, database and user stand in the same line, which libpq before 14 reads up to here. */
const OLD_PGPASS_LINE = { from: 200, to: 319 }

/** The order differs among signers, but what ends a token is one of these two. */
const COMPLETE = {
  'X-Amz-Signature': /^[0-9a-f]{64}$/,
  'X-Amz-SignedHeaders': /^[a-z0-9-]+(?:;[a-z0-9-]+)*$/,
}

/**
 * Returns that a token was cut, where, and what is known to cut there; undefined if it is whole. `length` is that of the text
 * as it was given, in bytes.
 */
export function findTruncation(
  { parameters }: TokenText,
  { length }: { length: number },
): TokenProblem | undefined {
  const last = parameters.at(-1)
  const names = parameters.map(({ name }) => name)
  const isWhole = Object.entries(COMPLETE).every(([name, form]) => {
    const found = parameters.find(each => each.name === name)
    return found !== undefined && (found !== last || isComplete(found.raw, form, name))
  })
  if (last === undefined || isWhole) return undefined
  if (names.length === 1 && last.raw === 'connect')
    return {
      code: 'cut',
      message:
        'it ends at the first &, where a shell ends a command: put it in quotation marks, or into standard input',
    }
  const place =
    REQUIRED_PARAMETERS.includes(last.name) || last.name === 'X-Amz-Security-Token' ? `, in ${last.name}` : ''
  return {
    code: 'cut',
    message: `it is cut: it ends after ${countText(length, 'byte')}${place}${limitNote(length)}. A token has 1 to 2 KB: raise the limit, or do without the software that cuts it`,
  }
}

function isComplete(raw: string, form: RegExp, name: string): boolean {
  return form.test(raw) && (name !== 'X-Amz-SignedHeaders' || raw.split(/;|%3B/i).includes('host'))
}

function limitNote(length: number): string {
  const limit = LIMITS.find(({ bytes }) => bytes === length || bytes === length + 1)
  if (limit) return `, as by ${limit.software}`
  const isOldLine = length >= OLD_PGPASS_LINE.from && length <= OLD_PGPASS_LINE.to
  return isOldLine ? ', perhaps by libpq before 14, which reads 319 bytes of a line of .pgpass' : ''
}
