import { int32, withLength } from '../../wire/postgres-messages.ts'
import { SessionError } from '../session-error.ts'

/** A client's startup message. Texts are in latin1, a character for each byte, whatever encoding the client has. */
export interface Startup {
  /** As in 3 << 16 | 2 for 3.2. */
  readonly version: number
  /** In the client's order. */
  readonly parameters: readonly Parameter[]
}

type Parameter = readonly [name: string, value: string]

/** Parses what follows the version. Throws SessionError for what PostgreSQL does not take either, and for replication. */
export function parseStartup(version: number, body: Buffer): Startup {
  const texts = body.toString('latin1').split('\0')
  // each text ends with a zero, and the list with one more
  const pairs = texts.slice(0, -2)
  const isWhole = texts.length >= 2 && texts.splice(-2).every(text => text === '')
  const parameters = isWhole ? toPairs(pairs) : []
  if (!isWhole || pairs.length % 2 === 1 || parameters.some(([name]) => name === ''))
    throw unsupported('invalid startup packet layout')
  if (parameters.some(([name, value]) => name === 'replication' && !isFalse(value)))
    throw unsupported('there is no replication: RDS refuses it to whoever logs in with a token')
  return { version, parameters }
}

export interface StartupChanges {
  /** Takes the place of the client's. */
  user: string
  /** Where the client names no database. */
  dbname: string | undefined
  /** Where the client says nothing of an application. */
  callerName: string | undefined
}

/**
 * Returns the startup message for the server, with all else of the client's as it came. A client that names no database gets
 * `dbname`, or without one what the server takes: a database named after the user. Does not check its length.
 */
export function encodeStartup(
  { version, parameters }: Startup,
  { user, dbname, callerName }: StartupChanges,
): Buffer {
  const granted = asLatin1(user)
  const kept = parameters.map(([name, value]): Parameter => [name, name === 'user' ? granted : value])
  const all: Parameter[] = [
    // PostgreSQL takes the last of several, and an empty one for none
    ...(kept.some(([name]) => name === 'user') ? kept : [['user', granted] as const, ...kept]),
    ...(dbname !== undefined && !lastOf(parameters, 'database')
      ? [['database', asLatin1(dbname)] as const]
      : []),
    ...(callerName !== undefined && !namesApplication(parameters)
      ? [['application_name', asLatin1(callerName)] as const]
      : []),
  ]
  const text = all.map(([name, value]) => `${name}\0${value}\0`).join('')
  return withLength(int32(version), Buffer.from(`${text}\0`, 'latin1'))
}

const asLatin1 = (text: string) => Buffer.from(text).toString('latin1')

const toPairs = (texts: readonly string[]): Parameter[] =>
  texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? ''] as const] : []))

const lastOf = (parameters: readonly Parameter[], wanted: string) =>
  parameters.findLast(([name]) => name === wanted)?.[1]

/** Names of settings have no case. `options` have them as in `-c application_name=x` and `--application-name=x`, or with backslashes. */
function namesApplication(parameters: readonly Parameter[]): boolean {
  return parameters.some(([name, value]) =>
    name === 'options'
      ? /(?:^|\s)-(?:c\s*|-)application[-_]name=/i.test(value.replaceAll('\\', ''))
      : /^application_name$/i.test(name),
  )
}

/** As PostgreSQL reads a boolean: the beginning of a word will do if it is that of no other. */
const isFalse = (value: string) => /^(?:0|off?|no?|f(?:a(?:l(?:se?)?)?)?)$/i.test(value)

function unsupported(message: string): SessionError {
  return new SessionError(message, { failure: 'unsupported' })
}
