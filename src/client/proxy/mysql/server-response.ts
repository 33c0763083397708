import { CAPABILITY, type Greeting, lengthEncoded } from '../../wire/mysql-packets.ts'
import { TLS_LOGIN } from '../../wire/mysql-tls.ts'
import { reservedBytes } from './client-greeting.ts'

/** Who logs in to a server, and as what kind of client. */
export interface ServerLogin {
  /** A client's: flags (4), largest packet (4), character set (1), 23 reserved bytes. */
  readonly head: Buffer
  readonly database: Buffer | undefined
  readonly attributes: Buffer | undefined
}

const NOT_ASKED = CAPABILITY.compress | CAPABILITY.zstd | CAPABILITY.severalFactors
/** Where in a head MariaDB's further flags are, and in a greeting's reserved bytes. */
const EXTENDED = { head: 28, reserved: 6 } as const

/** Returns the first 32 bytes of a response, which a request for TLS consists of: what the client chose and the server offers. */
export function serverHead(login: ServerLogin, greeting: Greeting): Buffer {
  const { capabilities, payload, scrambleAt } = greeting
  const head = Buffer.from(login.head)
  const variable = CAPABILITY.connectWithDb | CAPABILITY.connectAttributes | NOT_ASKED
  // that a client is not MariaDB's is no capability
  const chosen = head.readUInt32LE(0) & (capabilities | CAPABILITY.mysql) & ~variable
  const flags =
    chosen |
    TLS_LOGIN |
    (login.database ? CAPABILITY.connectWithDb : 0) |
    (login.attributes ? capabilities & CAPABILITY.connectAttributes : 0)
  head.writeUInt32LE(flags >>> 0, 0)
  if (!(capabilities & CAPABILITY.mysql)) {
    const offered = reservedBytes(payload, scrambleAt).readUInt32LE(EXTENDED.reserved)
    head.writeUInt32LE((head.readUInt32LE(EXTENDED.head) & offered) >>> 0, EXTENDED.head)
  }
  return head
}

interface ResponseParts {
  /** Of `serverHead`. */
  head: Buffer
  user: string
  login: ServerLogin
  plugin: string
  password: Buffer
}

/** Returns a response whose password is as it is: only for a server within verified TLS. */
export function encodeServerResponse({ head, user, login, plugin, password }: ResponseParts): Buffer {
  const { database, attributes } = login
  const zero = Buffer.from([0])
  const hasAttributes = attributes && head.readUInt32LE(0) & CAPABILITY.connectAttributes
  return Buffer.concat([
    head,
    Buffer.from(`${user}\0`),
    lengthEncoded(password),
    ...(database ? [database, zero] : []),
    Buffer.from(`${plugin}\0`),
    ...(hasAttributes ? [lengthEncoded(attributes)] : []),
  ])
}
