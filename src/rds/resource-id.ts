/** What a resource id begins with: that of an instance, of an Aurora cluster or of a proxy. */
export type ResourceIdPrefix = 'db' | 'cluster' | 'prx'

export type ResourceId =
  | { readonly ok: true; readonly prefix: ResourceIdPrefix }
  | {
      readonly ok: false
      /** Reads on after the id or its key. */
      readonly fault: string
      /** The id in the right case, if nothing else is wrong with it. */
      readonly meant?: string
    }

/** Only the ids of proxies are in lower case. */
const RESOURCE_ID = /^(?:(db|cluster)-[A-Z0-9]+|(prx)-[A-Za-z0-9]+)$/
const IN_ANY_CASE = /^(db|cluster|prx)(-[a-z0-9]+)$/i

/**
 * Parses an RDS resource id, which IAM compares to the letter, or returns what is wrong with it: for configurations and for
 * policies alike. Does not check that the resource exists.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function parseResourceId(text: string): ResourceId {
  const [, upperCase, proxy] = RESOURCE_ID.exec(text) ?? []
  const prefix = upperCase ?? proxy
  if (isPrefix(prefix)) return { ok: true, prefix }
  const [, misspelled, rest = ''] = IN_ANY_CASE.exec(text) ?? []
  if (misspelled === undefined) return { ok: false, fault: 'is not an RDS resource id, but perhaps a name' }
  const front = misspelled.toLowerCase()
  const meant = front + (front === 'prx' ? rest : rest.toUpperCase())
  const fault =
    front === misspelled
      ? 'has lower-case letters, which no such resource id has, and IAM compares the case'
      : `does not begin with ${front}- in lower case, and IAM compares the case`
  return { ok: false, fault, meant }
}

function isPrefix(text: string | undefined): text is ResourceIdPrefix {
  return text === 'db' || text === 'cluster' || text === 'prx'
}
