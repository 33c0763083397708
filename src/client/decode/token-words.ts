import { countText } from '../../lib/count-text.ts'
import { isoSeconds } from '../../lib/iso-time.ts'
import { parseEndpoint } from '../../rds/endpoint.ts'
import type { DecodedToken } from './decode-token.ts'

/** One fact and what it is called. */
export type TokenFactRow = readonly [label: string, text: string]

/** The signature cannot be checked without the secret that made it. */
export const NOTHING_WRONG =
  'nothing is wrong that the text shows; whether the signature is right and the role may connect, only the database finds out: jeton doctor'

/** Returns what a token says, as texts for people with what each is called. The fingerprint is left out if it is not there yet. */
export function tokenFactRows(decoded: DecodedToken<unknown>, now: number): TokenFactRow[] {
  const { host, port, user, region, accessKeyId, signedAt, expiresAt, bytes, fingerprint } = decoded
  const rows: [string, string | undefined][] = [
    ['endpoint', host && endpointText(host, port)],
    ['user', user],
    ['region', region],
    ['access key', accessKeyId && `${accessKeyId}${keyNote(accessKeyId)}`],
    [
      'signed at',
      signedAt === undefined ? undefined : `${isoSeconds(signedAt)} (${agoText(now - signedAt)})`,
    ],
    [
      'expires at',
      expiresAt === undefined ? undefined : `${isoSeconds(expiresAt)} (${agoText(now - expiresAt)})`,
    ],
    ['size', countText(bytes, 'byte')],
    ['fingerprint', typeof fingerprint === 'string' ? fingerprint : undefined],
  ]
  return rows.flatMap(([label, text]) => (text === undefined ? [] : [[label, text] as const]))
}

const KINDS = {
  instance: 'an instance, or one of Aurora',
  cluster: 'an Aurora cluster',
  proxy: 'an RDS proxy',
  shardGroup: 'an Aurora shard group',
}

function endpointText(host: string, port: number | undefined): string {
  const endpoint = parseEndpoint(host)
  return `${host}${port === undefined ? '' : `:${port}`}${endpoint.ok ? ` (${KINDS[endpoint.kind]})` : ''}`
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
function keyNote(accessKeyId: string): string {
  if (accessKeyId.startsWith('ASIA')) return ' (of a role session, or other temporary credentials)'
  return accessKeyId.startsWith('AKIA') ? ' (of an IAM user: it does not expire)' : ''
}

function agoText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  const text =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7200
        ? `${Math.floor(seconds / 60)} min`
        : seconds < 172_800
          ? `${Math.floor(seconds / 3600)} h`
          : countText(Math.floor(seconds / 86_400), 'day')
  return ms < 0 ? `in ${text}` : `${text} ago`
}
