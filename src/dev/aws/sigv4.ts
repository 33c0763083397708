import { createHash, createHmac } from 'node:crypto'

/** The scope of a SigV4 signature, from the last four parts of a credential. */
export interface Scope {
  /** Like `20261123`. */
  readonly day: string
  readonly region: string
  readonly service: string
}

export const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

/** Percent-encodes, in upper case, everything but A-Z a-z 0-9 - . _ ~ (RFC 3986, 2.3), as SigV4 requires. */
export const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Returns the query that SigV4 signs: parameters encoded and sorted by their encoded names. */
export function canonicalQuery(parameters: Iterable<readonly [string, string]>): string {
  return [...parameters]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

/**
 * Returns the hex SigV4 signature of a canonical request. It uses only node:crypto, so that what verifies jeton's signatures
 * shares no code with what makes them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signature(of: {
  secret: string
  scope: Scope
  amzDate: string
  canonicalRequest: string
}): string {
  const { day, region, service } = of.scope
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${of.secret}`,
  )
  const text = [
    'AWS4-HMAC-SHA256',
    of.amzDate,
    `${day}/${region}/${service}/aws4_request`,
    sha256(of.canonicalRequest),
  ]
  return createHmac('sha256', key).update(text.join('\n')).digest('hex')
}

/** Parses `AKIA…/20261123/us-east-1/sts/aws4_request`; returns undefined for anything else. */
export function parseCredential(credential: string): { accessKeyId: string; scope: Scope } | undefined {
  const [, accessKeyId, day, region, service] =
    /^(\w+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request$/.exec(credential) ?? []
  if (!accessKeyId || !day || !region || !service) return undefined
  return { accessKeyId, scope: { day, region, service } }
}

/** Returns `20261123T100000Z` in milliseconds, or NaN for anything else. */
export function parseAmzDate(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}
