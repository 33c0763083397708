import { type FetchJsonOptions, fetchJson } from '../lib/fetch-json.ts'
import { escapeText, shorten } from '../lib/printable.ts'

const MAX_SHOWN_LENGTH = 200

/**
 * Returns an issuer's key set by way of its discovery document (OpenID Connect Discovery 1.0, 4). That may name any https
 * address for the keys, but plain http (loopback alone) only if the issuer itself has it: it could otherwise point a server
 * at the server's own ports. Does not check the key set. Rejects with an Error that may be logged.
 */
export async function fetchJwks(issuerUrl: string, options: FetchJsonOptions): Promise<unknown> {
  const base = issuerUrl.replace(/\/$/, '')
  const document = await fetchJson(`${base}/.well-known/openid-configuration`, options)
  if (document.issuer !== issuerUrl)
    throw new Error(`the discovery document names another issuer${nameNote(document.issuer)}`)
  const jwksUri = document.jwks_uri
  if (typeof jwksUri !== 'string') throw new Error('the discovery document has no jwks_uri')
  if (!/^https:/i.test(jwksUri) && /^https:/i.test(issuerUrl))
    throw new Error('the discovery document names a jwks_uri without https')
  return fetchJson(jwksUri, options)
}

function nameNote(issuer: unknown): string {
  if (typeof issuer !== 'string') return ''
  const name = escapeText(shorten(issuer, MAX_SHOWN_LENGTH))
  return `, ${name}: \`issuer\` must be written as there, to the letter`
}
