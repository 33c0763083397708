import { isIP } from 'node:net'
import type { EndpointKind } from './database.ts'
import { PARTITIONS, type Partition, partitionOfRegion } from './partitions.ts'

export type Endpoint =
  | {
      readonly ok: true
      /** In lower case, which is how RDS signs it. */
      readonly host: string
      readonly kind: EndpointKind
      readonly region: string
      readonly partition: string
    }
  | {
      readonly ok: false
      /** What is wrong and what to do; it never quotes the host, which may be a URL with a password in it. */
      readonly problem: string
    }

const ADVICE =
  "RDS accepts tokens for its own endpoint names alone: keep the name that RDS shows in `host`, and put a tunnel's or an alias's address in `connect` as host:port"

/** RDS's rule for identifiers; they stand in the name as they are. */
const IDENTIFIER = /^[a-z](?:-?[a-z0-9])*$/
/** RDS marks the kind before the part that stands for the account and region. */
const MARKED_HASH = /^(?:(cluster|cluster-ro|cluster-custom|proxy|shardgrp)-)?([a-z0-9]+)$/
const MARKS: ReadonlyMap<string | undefined, EndpointKind> = new Map([
  [undefined, 'instance'],
  ['cluster', 'cluster'],
  ['cluster-ro', 'cluster'],
  ['cluster-custom', 'cluster'],
  ['proxy', 'proxy'],
  ['shardgrp', 'shardGroup'],
])

/**
 * Reads what the name of an RDS endpoint says: its kind, region and partition. By the name alone: that the endpoint
 * exists is not checked. Everything else is refused with what to do instead; never throws.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
 */
export function parseEndpoint(given: string): Endpoint {
  const problem = notPlainName(given)
  if (problem) return refused(problem)
  const host = given.toLowerCase()
  const place = locate(host)
  if (!place) return refused(`is not the name of an RDS endpoint. ${ADVICE}`)
  const { region, partition, front } = place
  if (region === 'global')
    return refused(
      "is the endpoint of an Aurora global database, which names no region to sign a token for: name the regional cluster's endpoint (NAME.cluster-….REGION.rds.amazonaws.com)",
    )
  if (!partition) return refused(foreignRegion(region))
  const kind = kindOf(front)
  if (!kind)
    return refused(`has not the form NAME.HASH.REGION.rds.amazonaws.com of an RDS endpoint. ${ADVICE}`)
  return { ok: true, host, kind, region, partition: partition.name }
}

function refused(problem: string): Endpoint {
  return { ok: false, problem }
}

function notPlainName(host: string): string | undefined {
  if (host === '') return 'is empty: name the RDS endpoint'
  if (/[/@\\]/.test(host))
    return 'is a URL or has a user or path in it: give the name of the RDS endpoint alone, without a scheme'
  // Node's own test costs a cold start some milliseconds, and no endpoint's name has a colon or ends in a digit
  if (/:|\d$/.test(host) && isIP(host.replace(/^\[(.*)\]$/, '$1'))) return `is an IP address. ${ADVICE}`
  if (host.includes(':')) return 'has a port in it: give the name of the RDS endpoint alone and set `port`'
  // Before lower-casing: the Kelvin sign becomes a plain k.
  if (!/^[a-z0-9.-]+$/i.test(host))
    return `has characters in it that no RDS endpoint has (letters, digits, - and . alone). ${ADVICE}`
  if (host.endsWith('.')) return 'ends in a dot: RDS signs its endpoint names without one, leave it out'
  if (host.toLowerCase() === 'localhost') return `is this machine, not an RDS endpoint. ${ADVICE}`
  const labels = host.split('.')
  if (host.length > 253 || labels.some(label => label === '' || label.length > 63))
    return 'is no DNS name: each part has 1 to 63 characters, the whole 253 at most (RFC 1035, 2.3.4)'
  return undefined
}

interface Place {
  readonly front: readonly string[]
  readonly region: string
  /** Absent where the region is of none of the partitions that have the name's suffix. */
  readonly partition?: Partition
}

function locate(host: string): Place | undefined {
  let stranger: Place | undefined
  for (const partition of PARTITIONS) {
    if (!host.endsWith(`.${partition.suffix}`)) continue
    const labels = host.slice(0, -partition.suffix.length - 1).split('.')
    const [first = '', second = ''] = labels.slice(-2)
    const front = labels.slice(0, -2)
    for (const order of partition.orders) {
      const [region, service] = order === 'region.rds' ? [first, second] : [second, first]
      if (service !== 'rds') continue
      if (partition.region.test(region)) return { front, region, partition }
      stranger ??= { front, region }
    }
  }
  return stranger
}

function foreignRegion(region: string): string {
  const home = partitionOfRegion(region)
  return home
    ? `has the region ${region} of partition ${home.name}, whose endpoints end in ${region}.rds.${home.suffix}: copy the name that RDS shows`
    : 'has no AWS region where the region stands: copy the name that RDS shows, such as orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'
}

function kindOf(front: readonly string[]): EndpointKind | undefined {
  const [name = '', ...rest] = front
  const [, mark, hash = ''] = MARKED_HASH.exec(rest.at(-1) ?? '') ?? []
  // A mark without its hash (orders.cluster.…) is no hash.
  if (!IDENTIFIER.test(name) || hash === '' || MARKS.has(hash)) return undefined
  const kind = MARKS.get(mark)
  if (rest.length === 1) return kind
  return rest.length === 2 && rest[0] === 'endpoint' && kind === 'proxy' ? kind : undefined
}
