import type { EndpointKind } from './database.ts'
import { PARTITIONS, type Partition, partitionOfRegion } from './partitions.ts'

export type Endpoint =
  | {
      readonly ok: true
      /** In lower case, as tokens are signed for it. */
      readonly host: string
      readonly kind: EndpointKind
      readonly region: string
      readonly partition: string
    }
  | {
      readonly ok: false
      /** What is wrong and what to do. Never quotes the host, which may be a URL with a password. */
      readonly problem: string
    }

const ADVICE =
  "RDS accepts tokens only for its own endpoint names: set `host` to the name that RDS shows, and put a tunnel's or an alias's address in `connect` as host:port"

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
/** RDS's rule for identifiers, which are the first label of an endpoint's name. */
const IDENTIFIER = /^[a-z](?:-?[a-z0-9])*$/
/** The hash stands for the account and region; a mark before it says which kind of endpoint it is. */
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
 * Parses the name of an RDS endpoint into its kind, region and partition. For any other text, returns what is wrong and
 * what to do. Does not check that the endpoint exists. Never throws.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
 */
export function parseEndpoint(text: string): Endpoint {
  const problem = findNameProblem(text)
  if (problem) return invalid(problem)
  const host = text.toLowerCase()
  const location = locate(host)
  if (!location) return invalid(`is not the name of an RDS endpoint. ${ADVICE}`)
  const { region, partition, labels } = location
  if (region === 'global')
    return invalid(
      "is the endpoint of an Aurora global database, which has no region to sign a token for: use the regional cluster's endpoint (NAME.cluster-….REGION.rds.amazonaws.com)",
    )
  if (!partition) return invalid(describeForeignRegion(region))
  const kind = kindOf(labels)
  if (!kind)
    return invalid(`does not have the form NAME.HASH.REGION.rds.amazonaws.com of an RDS endpoint. ${ADVICE}`)
  return { ok: true, host, kind, region, partition: partition.name }
}

function invalid(problem: string): Endpoint {
  return { ok: false, problem }
}

function findNameProblem(host: string): string | undefined {
  if (host === '') return 'is empty: use the name of the RDS endpoint'
  if (/[/@\\]/.test(host))
    return 'is a URL, or contains a user or a path: use only the name of the RDS endpoint, without a scheme'
  if (isIpAddress(host.replace(/^\[(.*)\]$/, '$1'))) return `is an IP address. ${ADVICE}`
  if (host.includes(':')) return 'contains a port: use only the name of the RDS endpoint, and set `port`'
  // before lower-casing, which turns the Kelvin sign into a plain k
  if (!/^[a-z0-9.-]+$/i.test(host))
    return `contains characters that no RDS endpoint has (only letters, digits, - and .). ${ADVICE}`
  if (host.endsWith('.'))
    return 'ends in a dot: leave it out, because tokens are signed for the name without it'
  if (host.toLowerCase() === 'localhost') return `is this machine, not an RDS endpoint. ${ADVICE}`
  const labels = host.split('.')
  if (host.length > 253 || labels.some(label => label === '' || label.length > 63))
    return 'is not a DNS name: each label has 1 to 63 characters, the whole name at most 253 (RFC 1035, 2.3.4)'
  return undefined
}

/** Node's own `isIP` is not in browsers, which read tokens, too. */
function isIpAddress(text: string): boolean {
  if (IPV4.test(text)) return true
  const [, address] = /^([\da-f:.]*:[\da-f:.]*)(?:%.+)?$/i.exec(text) ?? []
  return address !== undefined && URL.canParse(`http://[${address}]`)
}

interface Location {
  /** The labels before the region and service. */
  readonly labels: readonly string[]
  readonly region: string
  /** Absent if the region belongs to none of the partitions with this suffix. */
  readonly partition?: Partition
}

function locate(host: string): Location | undefined {
  let foreign: Location | undefined
  for (const partition of PARTITIONS) {
    if (!host.endsWith(`.${partition.suffix}`)) continue
    const allLabels = host.slice(0, -partition.suffix.length - 1).split('.')
    const [first = '', second = ''] = allLabels.slice(-2)
    const labels = allLabels.slice(0, -2)
    for (const order of partition.orders) {
      const [region, service] = order === 'region.rds' ? [first, second] : [second, first]
      if (service !== 'rds') continue
      if (partition.region.test(region)) return { labels, region, partition }
      foreign ??= { labels, region }
    }
  }
  return foreign
}

function describeForeignRegion(region: string): string {
  const home = partitionOfRegion(region)
  return home
    ? `has the region ${region} of partition ${home.name}, whose endpoints end in ${region}.rds.${home.suffix}: copy the name that RDS shows`
    : 'has no AWS region in the place of the region: copy the name that RDS shows, such as orders.c9akciq32xyz.us-east-1.rds.amazonaws.com'
}

function kindOf([name = '', ...labels]: readonly string[]): EndpointKind | undefined {
  const [, mark, hash = ''] = MARKED_HASH.exec(labels.at(-1) ?? '') ?? []
  // a mark without its hash (orders.cluster.…) is not a hash
  if (!IDENTIFIER.test(name) || hash === '' || MARKS.has(hash)) return undefined
  const kind = MARKS.get(mark)
  if (labels.length === 1) return kind
  return labels.length === 2 && labels[0] === 'endpoint' && kind === 'proxy' ? kind : undefined
}
