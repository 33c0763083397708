const BASIC = /^basic +([\w+/-]+=*)$/i
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/

/**
 * Returns the `Authorization` that the authenticator knows for one by HTTP Basic (RFC 7617): its password is a JWT or an API key,
 * and its user may be any. Any other header stays as it is. So browsers can ask for a credential by themselves.
 */
export function withoutBasic(authorization: string | undefined): string | undefined {
  const [, encoded] = BASIC.exec(authorization ?? '') ?? []
  if (encoded === undefined) return authorization
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const password = text.slice(text.indexOf(':') + 1)
  return `${JWT.test(password) ? 'Bearer' : 'ApiKey'} ${password}`
}
