/** What encodeURIComponent leaves as it is, and other software takes for more than a character. */
const LEFT_OVER = /[!'()*]/g

/** Returns text with everything but unreserved characters percent-encoded, once, in UTF-8. */
export function percentEncode(text: string): string {
  // half a surrogate pair has no UTF-8: it becomes U+FFFD
  const wellFormed = Buffer.from(text).toString()
  return encodeURIComponent(wellFormed).replace(
    LEFT_OVER,
    char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** What may stand in a path as it is (RFC 3986, 3.3), and is not decoded there by drivers that use `decodeURI`, as node-pg does. */
const PATH_DELIMITERS = /%(?:3A|40|26|3D|2B|24|2C|3B)/g

/** As `percentEncode`, for a part of a path. */
export function percentEncodeInPath(text: string): string {
  return percentEncode(text).replace(PATH_DELIMITERS, decodeURIComponent)
}

/** Returns a query of a URL; members without a value are left out. Names must need no encoding. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : `${name}=${percentEncode(value)}`))
    .join('&')
}
