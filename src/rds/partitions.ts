/** Whether a partition puts the region before or after `rds` in an endpoint's name. */
type Order = 'region.rds' | 'rds.region'

/** A partition of AWS, and how RDS names endpoints in it. */
export interface Partition {
  /** As in ARNs. */
  readonly name: string
  readonly suffix: string
  readonly orders: readonly Order[]
  readonly region: RegExp
  /** The URL below which AWS publishes the CA bundles of the partition's databases, if known. */
  readonly trustStore?: string
}

const BOTH: readonly Order[] = ['region.rds', 'rds.region']

/**
 * The partitions of AWS and the form of their endpoint names. Regions are recognised by a pattern, so that a new one needs
 * no release. The orders are those that AWS's own drivers accept; isolated partitions, which the drivers do not know, accept
 * both.
 * https://docs.aws.amazon.com/general/latest/gr/rds-service.html
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 * https://docs.amazonaws.cn/en_us/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export const PARTITIONS: readonly Partition[] = [
  {
    name: 'aws',
    suffix: 'amazonaws.com',
    orders: ['region.rds'],
    region: /^(?!cn-)[a-z]{2}-[a-z]+-\d{1,2}$/,
    trustStore: 'https://truststore.pki.rds.amazonaws.com',
  },
  {
    name: 'aws-us-gov',
    suffix: 'amazonaws.com',
    orders: BOTH,
    region: /^us-gov-[a-z]+-\d{1,2}$/,
    trustStore: 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com',
  },
  {
    name: 'aws-cn',
    suffix: 'amazonaws.com.cn',
    orders: BOTH,
    region: /^cn-[a-z]+-\d{1,2}$/,
    trustStore: 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn',
  },
  { name: 'aws-iso', suffix: 'c2s.ic.gov', orders: BOTH, region: /^us-iso-[a-z]+-\d{1,2}$/ },
  { name: 'aws-iso-b', suffix: 'sc2s.sgov.gov', orders: BOTH, region: /^us-isob-[a-z]+-\d{1,2}$/ },
  { name: 'aws-iso-e', suffix: 'cloud.adc-e.uk', orders: BOTH, region: /^eu-isoe-[a-z]+-\d{1,2}$/ },
  { name: 'aws-iso-f', suffix: 'csp.hci.ic.gov', orders: BOTH, region: /^us-isof-[a-z]+-\d{1,2}$/ },
  {
    name: 'aws-eusc',
    suffix: 'amazonaws.eu',
    orders: ['region.rds'],
    region: /^eusc-[a-z]{2}-[a-z]+-\d{1,2}$/,
  },
]

/** Returns the partition whose pattern a region matches. Does not check that the region exists. */
export function partitionOfRegion(region: string): Partition | undefined {
  return PARTITIONS.find(partition => partition.region.test(region))
}
