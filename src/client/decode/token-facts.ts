import type { TokenText } from './token-text.ts'

/** What a token says, as far as it can be read. None of it is secret. */
export interface TokenFacts {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly region?: string
  readonly service?: string
  readonly accessKeyId?: string
  /** Milliseconds since the epoch. */
  readonly signedAt?: number
  /** By the token alone: the role session may end earlier. */
  readonly expiresAt?: number
}

const HOST = /^[A-Za-z0-9._-]{1,253}$/
const CREDENTIAL = /^([A-Z0-9]{16,128})\/\d{8}\/([a-z0-9-]{1,40})\/([a-z0-9-]{1,40})\/aws4_request$/
/** Longer than any name of a database user. */
const MAX_USER_LENGTH = 128
/** What is no name, but a signature or a part of the query in the wrong place. */
const NO_USER = /X-Amz-|^[0-9a-f]{64}$/i

/**
 * Reads what may be shown. Whatever does not have the form of what it should be is left out, for it may be secret: of a text
 * that lost a part in its middle, a name may go on with a piece of the session token.
 */
export function tokenFacts({ host, port, parameters }: TokenText, { isCut }: { isCut: boolean }): TokenFacts {
  const value = (name: string) => {
    const position = parameters.findIndex(parameter => parameter.name === name)
    // of a token that is cut, the last value may be only the beginning
    if (position < 0 || (isCut && position === parameters.length - 1)) return undefined
    return parameters[position]?.value
  }
  const [, accessKeyId, region, service] = CREDENTIAL.exec(value('X-Amz-Credential') ?? '') ?? []
  const signedAt = parseDate(value('X-Amz-Date'))
  const seconds = parseSeconds(value('X-Amz-Expires'))
  // every signer writes the algorithm between the user and whatever is secret
  const user = value('X-Amz-Algorithm') === 'AWS4-HMAC-SHA256' ? value('DBUser') : undefined
  return {
    ...fact('host', HOST.test(host) ? host : undefined),
    ...fact('port', port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : undefined),
    ...fact(
      'user',
      user !== undefined && user.length <= MAX_USER_LENGTH && !NO_USER.test(user) ? user : undefined,
    ),
    ...fact('region', region),
    ...fact('service', service),
    ...fact('accessKeyId', accessKeyId),
    ...fact('signedAt', signedAt),
    ...fact(
      'expiresAt',
      signedAt === undefined || seconds === undefined ? undefined : signedAt + seconds * 1000,
    ),
  }
}

function fact<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: Value }
}

/** Returns the milliseconds of `20261123T100000Z`. */
function parseDate(text = ''): number | undefined {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

function parseSeconds(text = ''): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
