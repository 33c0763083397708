import { matches } from './wildcard.ts'

/** The parts of an ARN as written; any of them may contain wildcards. */
export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  /** Everything after the account, with its colons. */
  readonly resource: string
}

/** Not the colon in a variable, `${aws:username}`. */
const COLON = /:(?![^{]*\})/

/**
 * Parses an ARN; returns undefined if the text is not one. Missing parts are empty, or `*` if the ARN is cut short by a
 * wildcard, as in `arn:aws:rds-db:*`.
 */
export function parseArn(text: string): Arn | undefined {
  const [arn, ...parts] = text.split(COLON)
  if (arn !== 'arn' || parts.length === 0) return undefined
  const filler = parts.length < 5 && parts.at(-1)?.endsWith('*') ? '*' : ''
  const [partition = filler, service = filler, region = filler, account = filler, ...resource] = parts
  return { partition, service, region, account, resource: resource.length > 0 ? resource.join(':') : filler }
}

/** Parses the resource of a database user's ARN, `dbuser:ID/USER`. Returns undefined if it has another form. */
export function parseUser(resource: string): { id: string; user: string } | undefined {
  if (/^\*+$/.test(resource)) return { id: '*', user: '*' }
  const [, id, user] = /^dbuser:([^/]*)(?:\/(.*))?$/s.exec(resource) ?? []
  if (id === undefined) return undefined
  if (user !== undefined) return { id, user }
  // the wildcard in `dbuser:*` matches the slash too
  return id.endsWith('*') ? { id, user: '*' } : undefined
}

/** Whether a resource of a policy is a database user, or includes some. */
export function couldBeUser(text: string): boolean {
  const service = text === '*' ? '*' : parseArn(text)?.service
  return service !== undefined && matches(service, 'rds-db')
}
