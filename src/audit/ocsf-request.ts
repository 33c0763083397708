import { isIP } from 'node:net'
import {
  classification,
  INFORMATIONAL,
  LOW,
  MEDIUM,
  type OcsfChoice,
  recordedMs,
  recordedObject,
  recordedText,
  unmappedOf,
} from './ocsf-event.ts'
import type { AuditRecord } from './record.ts'

const API_ACTIVITY: OcsfChoice = { id: 6003, name: 'API Activity' }
const UNKNOWN: OcsfChoice = { id: 0, name: 'Unknown' }
const CREATE: OcsfChoice = { id: 1, name: 'Create' }
const READ: OcsfChoice = { id: 2, name: 'Read' }

/** What became of a request, by its decision: how the schema calls that, and what the caller got. */
const OUTCOMES: ReadonlyMap<unknown, Outcome> = new Map([
  ['vended', { severity: INFORMATIONAL, isSuccess: true, action: 1, disposition: 1 }],
  ['listed', { severity: INFORMATIONAL, isSuccess: true, action: 1, disposition: 1 }],
  ['refused', { severity: LOW, isSuccess: false, action: 2, disposition: 2 }],
  // what jeton or AWS failed at was neither allowed nor denied: Unknown, and Error
  ['failed', { severity: MEDIUM, isSuccess: false, action: 0, disposition: 27 }],
])
const UNKNOWN_OUTCOME: Outcome = { severity: MEDIUM, isSuccess: false, action: 0, disposition: 0 }

interface Outcome {
  readonly severity: OcsfChoice
  readonly isSuccess: boolean
  /** `action_id` and `disposition_id` of the profile `security_control`. */
  readonly action: number
  readonly disposition: number
}

/** Members that attributes of their own have; `unmapped` has all others. */
const MAPPED = [
  'type',
  'v',
  'id',
  'time',
  'requestId',
  'traceId',
  'decision',
  'code',
  'reason',
  'principal',
  'grant',
  'database',
  'user',
  'identity',
  'sourceIp',
  'userAgent',
  'instance',
  'count',
  'since',
]

/** Returns the attributes of the event of a request's record, without those that all events have. Expects values of any type. */
export function requestAttributes(record: AuditRecord) {
  const { severity, isSuccess, action, disposition } = OUTCOMES.get(record.decision) ?? UNKNOWN_OUTCOME
  const { activity, operation } = operationOf(record)
  const requestId = recordedText(record.requestId)
  const traceId = recordedText(record.traceId)
  const userAgent = recordedText(record.userAgent)
  const grant = recordedText(record.grant)
  const cloud = cloudOf(record)
  const { claims } = recordedObject(record.principal)
  const unmapped = { ...unmappedOf(record, MAPPED), ...(claims !== undefined && { claims }) }
  return {
    ...classification({ class: API_ACTIVITY, activity, severity, isSuccess }),
    status_code: recordedText(record.code),
    status_detail: recordedText(record.reason),
    message: messageOf(record),
    profiles: ['security_control', ...(cloud ? ['cloud'] : []), ...(traceId === undefined ? [] : ['trace'])],
    action_id: action,
    disposition_id: disposition,
    policy: grant === undefined ? undefined : { name: grant, type: 'grant' },
    actor: actorOf(record),
    api: {
      operation,
      service: { name: 'jeton' },
      request: requestId === undefined ? undefined : { uid: requestId },
    },
    src_endpoint: sourceOf(record),
    dst_endpoint: { svc_name: 'jeton', uid: recordedText(record.instance) },
    http_request: userAgent === undefined ? undefined : { user_agent: userAgent, uid: requestId },
    resources: resourcesOf(record),
    cloud,
    trace: traceId === undefined ? undefined : { uid: traceId },
    ...countOf(record),
    unmapped: Object.keys(unmapped).length === 0 ? undefined : unmapped,
  }
}

/** A refusal before the request's body was read does not say what was wanted. */
function operationOf({ decision, database }: AuditRecord): { activity: OcsfChoice; operation: string } {
  if (decision === 'listed') return { activity: READ, operation: 'listDatabases' }
  const isForToken = decision === 'vended' || database !== undefined
  return isForToken
    ? { activity: CREATE, operation: 'createToken' }
    : { activity: UNKNOWN, operation: 'unknown' }
}

/** A caller that did not prove who it is has only the name of its program, if it sent one. */
function actorOf(record: AuditRecord) {
  const { issuer, subject } = namesOf(record)
  if (issuer === undefined || subject === undefined)
    return { app_name: recordedText(record.userAgent) ?? 'unknown' }
  return { user: { name: subject, uid: `${issuer}/${subject}`, domain: issuer }, idp: { name: issuer } }
}

function namesOf(record: AuditRecord) {
  const { issuer, subject } = recordedObject(record.principal)
  return { issuer: recordedText(issuer), subject: recordedText(subject) }
}

/** The schema demands one, even if the record has none; a network is a name, because it is not an address. */
function sourceOf({ sourceIp, network }: AuditRecord) {
  const source = recordedText(sourceIp)
  return source !== undefined && isIP(source) > 0
    ? { ip: source }
    : { name: source ?? recordedText(network) ?? 'unknown' }
}

function resourcesOf(record: AuditRecord) {
  const [database, user, identity] = [
    recordedText(record.database),
    recordedText(record.user),
    recordedText(record.identity),
  ]
  const resources = [
    ...(database === undefined ? [] : [{ name: database, type: 'database', role_id: 1 }]),
    ...(user === undefined ? [] : [{ name: user, type: 'database user', namespace: database, role_id: 1 }]),
    ...(identity === undefined ? [] : [{ uid: identity, type: 'role session', role_id: 4 }]),
  ]
  return resources.length === 0 ? undefined : resources
}

const SESSION_ARN = /^arn:([\w-]+):sts::(\d{12}):/

function cloudOf({ identity }: AuditRecord) {
  const [, partition, account] = SESSION_ARN.exec(recordedText(identity) ?? '') ?? []
  if (account === undefined) return undefined
  return { provider: 'AWS', cloud_partition: partition, account: { uid: account } }
}

/** Of a counting record, whose time is that of the last one it counts. */
function countOf({ count, since, time }: AuditRecord) {
  return Number.isSafeInteger(count)
    ? { count, start_time: recordedMs(since), end_time: recordedMs(time) }
    : {}
}

function messageOf(record: AuditRecord): string {
  const { issuer, subject } = namesOf(record)
  const [database, user, code] = [
    recordedText(record.database),
    recordedText(record.user),
    recordedText(record.code),
  ]
  return [
    recordedText(record.decision) ?? 'unknown',
    ...(database === undefined ? [] : [`: a token for ${database}/${user ?? '?'}`]),
    ...(issuer === undefined ? [] : [` to ${issuer}/${subject ?? '?'}`]),
    ...(code === undefined ? [] : [` (${code})`]),
    ...(Number.isSafeInteger(record.count) ? [`, ${record.count} times`] : []),
  ].join('')
}
