/**
 * Returns the text that is encoded in base64url (RFC 4648, 5), with a replacement for what is not UTF-8; undefined if it is not
 * encoded so. Needs nothing but what browsers have.
 */
export function decodeBase64url(encoded: string): string | undefined {
  try {
    const bytes = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder().decode(Uint8Array.from(bytes, byte => byte.charCodeAt(0)))
  } catch {
    return undefined
  }
}

/** Returns a text in base64url, without padding. */
export function encodeBase64url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte))
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
