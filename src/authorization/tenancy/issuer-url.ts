/**
 * Returns what makes two issuers the same for people, however they are spelled: host and path in lower case, without scheme,
 * port, credentials and slashes at the end. To recognise issuers that are refused, never those that are let in.
 */
export function normalizeIssuer(issuer: string): string {
  const text = issuer.trim()
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `https://${text}`
  if (!URL.canParse(url)) return text.toLowerCase()
  const { hostname, pathname } = new URL(url)
  const host = hostname.replace(/\.+$/, '')
  const path = pathname.replace(/\/+/g, '/').replace(/\/$/, '')
  return `${host}${decodeBraces(path)}`.toLowerCase()
}

/** Returns the host of a normalized issuer. */
export function hostOf(normalizedIssuer: string): string {
  return normalizedIssuer.split('/', 1)[0] ?? ''
}

/** `{tenantid}` stands in Microsoft's own documentation, and is copied from there. */
function decodeBraces(path: string): string {
  return path.replaceAll('%7B', '{').replaceAll('%7D', '}')
}
