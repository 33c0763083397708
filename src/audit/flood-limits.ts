import { sha256Hex } from '../lib/hash.ts'
import { ipNetwork } from '../lib/ip-network.ts'
import type { AuditRecord } from './record.ts'

/** How many records of one principal, or of one address, are written one by one in each window. */
export const INDIVIDUAL_LIMIT = 100
/** The same for what a principal was told: one that polls need not be recorded each time. */
export const LISTING_LIMIT = 10
/** How much is written one by one, in each window, for all that is anonymous, for one issuer and for one grant. */
export const ALLOWANCE_BYTES = 512 * 1024
/** The same for one principal, address or network and one decision: so none uses up what it shares with others. */
export const PART_BYTES = ALLOWANCE_BYTES / 4
/** The same for the principals of all grants together. */
export const ENTITLED_BYTES = 8 * ALLOWANCE_BYTES
/** The networks that an address is in, narrow to wide. One of them must not use all that is left for the others. */
const NETWORKS = [
  { ipv4Prefix: 32, ipv6Prefix: 64, maxRecords: INDIVIDUAL_LIMIT },
  { ipv4Prefix: 24, ipv6Prefix: 48, maxRecords: 150 },
  { ipv4Prefix: 16, ipv6Prefix: 32, maxRecords: 200 },
] as const
/** A longer subject is remembered by its hash. */
const MAX_NAME_LENGTH = 128

/** What is to be recorded, or counted, without anybody waiting for it. */
export interface Refusal {
  readonly record: AuditRecord
  /** A grant that its principal meets; undefined if there is none, or no principal. */
  readonly entitledBy?: string | undefined
}

/** A group of callers, and how much of what they cause is written one by one in each window. Without a number, all. */
export interface FloodLimit {
  readonly of: 'address' | 'network' | 'anonymous' | 'principal' | 'issuer' | 'grant' | 'entitled'
  /** Tells groups of one kind apart. */
  readonly group: string
  readonly maxRecords?: number
  readonly maxBytes?: number
  /** What counting records say of the group. */
  readonly facts: Pick<AuditRecord, 'reason' | 'principal' | 'grant' | 'network'>
}

/**
 * Returns the limits that a refusal falls under, narrow to wide. Without a principal: its address, the networks around it, and
 * all that is anonymous. A principal counts by its name, wherever it calls from; then by the grant that entitles it, and with
 * all that are entitled; or without any grant by its issuer, because of some issuers anyone may get a JWT.
 */
export function limitsOf({ record, entitledBy }: Refusal): FloodLimit[] {
  const { principal, decision, sourceIp } = record
  if (!principal) return [...networkLimits(decision, sourceIp), ANONYMOUS]
  const own = principalLimit(decision, principal)
  return entitledBy === undefined
    ? [own, issuerLimit(principal.issuer)]
    : [own, grantLimit(entitledBy), ENTITLED]
}

const ANONYMOUS = {
  of: 'anonymous',
  group: '',
  maxBytes: ALLOWANCE_BYTES,
  facts: { reason: flooding('callers without a principal') },
} as const

const ENTITLED = {
  of: 'entitled',
  group: '',
  maxBytes: ENTITLED_BYTES,
  facts: { reason: flooding('principals of several grants') },
} as const

function networkLimits(decision: string, sourceIp: string | undefined): FloodLimit[] {
  return NETWORKS.map(({ maxRecords, ...prefixes }, width) => {
    const [of, source] =
      width === 0 ? (['address', 'one source'] as const) : (['network', 'one network'] as const)
    const network = ipNetwork(sourceIp, prefixes)
    return {
      of,
      group: `${decision} ${network}`,
      maxRecords,
      maxBytes: PART_BYTES,
      facts: { reason: flooding(source), network: network.includes('/') ? network : undefined },
    }
  })
}

function principalLimit(
  decision: string,
  { issuer, subject }: NonNullable<AuditRecord['principal']>,
): FloodLimit {
  const name = subject.length <= MAX_NAME_LENGTH ? subject : sha256Hex(subject)
  return {
    of: 'principal',
    group: `${decision} ${issuer}/${name}`,
    maxRecords: decision === 'listed' ? LISTING_LIMIT : INDIVIDUAL_LIMIT,
    maxBytes: PART_BYTES,
    facts: { reason: flooding('one principal'), principal: { issuer, subject } },
  }
}

function issuerLimit(issuer: string): FloodLimit {
  const reason = flooding(`principals of issuer ${issuer} without any grant`)
  return { of: 'issuer', group: issuer, maxBytes: ALLOWANCE_BYTES, facts: { reason } }
}

function grantLimit(grant: string): FloodLimit {
  const facts = { reason: flooding('principals of one grant'), grant }
  return { of: 'grant', group: grant, maxBytes: ALLOWANCE_BYTES, facts }
}

function flooding(source: string): string {
  return `a flood from ${source}: counted, not written one by one`
}
