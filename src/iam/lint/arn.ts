import { matches } from './wildcard.ts'

/** The parts of an ARN, each as it stands: it may have wildcards in it. */
export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  readonly account: string
  /** All that follows, colons included; empty where there is no such part. */
  readonly resource: string
}

/** Not the one in a variable, `${aws:username}`. */
const COLON = /:(?![^{]*\})/

/** Undefined where a text is no ARN. An ARN that is cut short by a wildcard has it for the parts that are missing. */
export function parseArn(text: string): Arn | undefined {
  const [arn, ...parts] = text.split(COLON)
  if (arn !== 'arn' || parts.length === 0) return undefined
  const filler = parts.length < 5 && parts.at(-1)?.endsWith('*') ? '*' : ''
  const [partition = filler, service = filler, region = filler, account = filler, ...resource] = parts
  return { partition, service, region, account, resource: resource.length > 0 ? resource.join(':') : filler }
}

/** Which database user the resource of an ARN means: `dbuser:ID/USER`. Undefined where it has another form. */
export function parseUser(resource: string): { id: string; user: string } | undefined {
  if (/^\*+$/.test(resource)) return { id: '*', user: '*' }
  const [, id, user] = /^dbuser:([^/]*)(?:\/(.*))?$/s.exec(resource) ?? []
  if (id === undefined) return undefined
  // `dbuser:*` reaches over the slash.
  return user === undefined ? (id.endsWith('*') ? { id, user: '*' } : undefined) : { id, user }
}

/** Whether a resource of a policy is a database user, or may be among others. */
export function couldBeUser(text: string): boolean {
  const service = text === '*' ? '*' : parseArn(text)?.service
  return service !== undefined && matches(service, 'rds-db')
}
