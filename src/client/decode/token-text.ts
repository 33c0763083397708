/** One parameter of a token's query. */
export interface TokenParameter {
  readonly name: string
  /** As it stands there. */
  readonly raw: string
  /** Decoded; undefined if an escape in it is broken. */
  readonly value: string | undefined
}

/** A token taken apart, with nothing of it checked. */
export interface TokenText {
  readonly host: string
  /** As it stands there; undefined without a colon. */
  readonly port: string | undefined
  /** Whether a slash stands before the query. */
  readonly hasPath: boolean
  /** In their order. */
  readonly parameters: readonly TokenParameter[]
}

/** The parameters that every token has. */
export const REQUIRED_PARAMETERS: readonly string[] = [
  'Action',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
]

const PARTS = /^([^/?:]*)(?::([^/?]*))?(\/?)\?([\s\S]*)$/
/** What some presigned request of AWS has. */
const OF_AWS = /^(?:Action|DBUser|X-Amz-\w[\w-]*)$/i

/** Takes a presigned request without its scheme apart; undefined for any other text. */
export function parseTokenText(text: string): TokenText | undefined {
  const [, host, port, slash, query] = PARTS.exec(text) ?? []
  if (host === undefined || query === undefined) return undefined
  const parameters = query.split('&').map(parseParameter)
  if (!parameters.some(({ name }) => OF_AWS.test(name))) return undefined
  return { host, port, hasPath: slash === '/', parameters }
}

function parseParameter(text: string): TokenParameter {
  const [, name = text, raw = ''] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? []
  return { name, raw, value: decode(raw) }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
