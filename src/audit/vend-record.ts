import { needsNoEscaping } from '../lib/printable.ts'
import { type AuditRecord, cutTexts, lineOf, renderMembers, TEXT_LIMITS } from './record.ts'

/** What is new in each record of a vend. */
export type NewMembers = Pick<AuditRecord, 'id' | 'time' | 'requestId' | 'traceId' | 'sourceIp' | 'userAgent'>

/** What is known before a vend: texts of `renderKnown`, but for the grant. */
export interface KnownMembers {
  readonly principal: string
  /** Its name. */
  readonly grant: string
  /** The database, the user, and what is said of the token. */
  readonly token: string
  readonly instance: string
}

/** Three such texts and all else are shorter than a record may be. */
const MAX_KNOWN_BYTES = 2048

/**
 * Returns members that many records share, as text for `renderVend`. Undefined if one of them would be cut, or if they are so
 * long that a record might: then each record is rendered as a whole.
 */
export function renderKnown(members: Partial<AuditRecord>): string | undefined {
  if (cutTexts(members) !== members) return undefined
  const text = renderMembers(members)
  return Buffer.byteLength(text) <= MAX_KNOWN_BYTES ? text : undefined
}

/**
 * Returns the line of a vend's record, as `renderRecord` does, from members that are known already. Undefined if a new one must
 * be cut or escaped.
 */
export function renderVend(
  { id, time, requestId, traceId, sourceIp, userAgent }: NewMembers,
  { principal, grant, token, instance }: KnownMembers,
): string | undefined {
  const request = renderText('requestId', requestId)
  const source = renderText('sourceIp', sourceIp)
  const agent = renderText('userAgent', userAgent)
  if (request === undefined || source === undefined || agent === undefined) return undefined
  const trace = traceId === undefined ? '' : `,"traceId":"${traceId}"`
  // names of grants need no escaping: the configuration's schema allows nothing that would
  const members = `,"id":"${id}","time":"${time}"${request}${trace},"decision":"vended"${principal},"grant":"${grant}"${token}`
  return lineOf(`${members}${source}${agent}${instance}`)
}

function renderText(
  member: 'requestId' | 'sourceIp' | 'userAgent',
  text: string | undefined,
): string | undefined {
  if (text === undefined) return ''
  return text.length <= TEXT_LIMITS[member] && needsNoEscaping(text) ? `,"${member}":"${text}"` : undefined
}
