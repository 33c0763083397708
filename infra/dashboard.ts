import { distinct } from '../src/lib/maps.ts'
import type { Database } from '../src/rds/database.ts'
import { type RdsResource, resourcesOf } from '../src/rds/resources.ts'

/** The logins with new tokens that RDS allows a second. */
const RDS_LOGINS_PER_SECOND = 20
/** How long keys are used that cannot be fetched again. */
const MAX_KEYS_AGE_SECONDS = 86_400
const WIDTH = 24
const HEIGHT = 6

type Metric = readonly (string | Readonly<Record<string, unknown>>)[]

interface Graph {
  readonly title: string
  readonly metrics: readonly Metric[]
  readonly stat?: string
  readonly limits?: readonly { readonly label: string; readonly value: number }[]
}

/**
 * Returns the dashboard of the stack, as JSON for `Fn::Sub`: how requests ended, what fails, and for each RDS resource how
 * much of its limit on new tokens is used.
 */
export function dashboardBody(databases: readonly Database[]): string {
  const rows: Graph[][] = [
    [
      { title: 'Requests for tokens', metrics: ['Vended', 'Refused', 'Failed'].map(ownMetric) },
      { title: 'What was not vended, by code', metrics: [ownMetrics('ByCode', 'Code')] },
      {
        title: 'Time to answer (ms)',
        stat: 'p99',
        metrics: [
          apiMetric('Latency', { label: 'p99' }),
          apiMetric('Latency', { label: 'median', stat: 'p50' }),
        ],
      },
    ],
    [
      {
        title: 'What fails',
        metrics: ['AuditFailures', 'StsFailures', 'StoreFailures', 'KmsFailures', 'KeySetFailures'].map(
          ownMetric,
        ),
      },
      {
        title: 'What an operator must fix',
        metrics: [
          'MissingRecords',
          'UnreadableRecords',
          'BrokenConfigurations',
          'FailedStarts',
          'ClockCorrections',
        ].map(ownMetric),
      },
      { title: 'Errors of the API', metrics: [apiMetric('5xx'), apiMetric('4xx')] },
    ],
    [
      {
        title: 'Days until a CA certificate of the databases ends',
        stat: 'Minimum',
        metrics: [ownMetric('CaBundleDays')],
      },
      {
        title: 'Seconds since the keys of an issuer that fails were fetched',
        stat: 'Maximum',
        metrics: [ownMetric('FailingKeysAge')],
        limits: [{ label: 'refused', value: MAX_KEYS_AGE_SECONDS }],
      },
    ],
    ...resourcesOf(databases).map(resourceGraphs),
  ]
  const widgets = rows.flatMap((row, line) =>
    row.map((graph, i) => {
      const width = WIDTH / row.length
      return {
        type: 'metric',
        x: i * width,
        y: line * HEIGHT,
        width,
        height: HEIGHT,
        properties: propertiesOf(graph),
      }
    }),
  )
  return JSON.stringify({ widgets })
}

function propertiesOf({ title, metrics, stat = 'Sum', limits = [] }: Graph) {
  return {
    title,
    metrics,
    stat,
    period: 60,
    region: `$\{AWS::Region}`,
    view: 'timeSeries',
    yAxis: { left: { min: 0 } },
    ...(limits.length > 0 && { annotations: { horizontal: limits } }),
  }
}

/** For one RDS resource, whose databases share one limit. */
function resourceGraphs({ name: resource, databases }: RdsResource): Graph[] {
  const names = databases.map(({ name }) => name)
  const perSecond = Math.min(...databases.map(({ newTokensPerSecond }) => newTokensPerSecond))
  const rds = distinct(
    databases.map(rdsThrottling).filter(metric => metric !== undefined),
    metric => JSON.stringify(metric),
  )
  return [
    {
      title: `${names.join(', ')}: new tokens a minute`,
      metrics: [
        ...names.map((name, i) =>
          databaseMetric('NewTokens', { database: name, id: `new${i}`, visible: names.length === 1 }),
        ),
        ...(names.length > 1 ? [[{ expression: 'SUM(METRICS("new"))', label: 'together' }]] : []),
      ],
      limits: [
        { label: "jeton's limit", value: perSecond * 60 },
        { label: "RDS's limit", value: RDS_LOGINS_PER_SECOND * 60 },
      ],
    },
    {
      title: `${names.join(', ')}: slots free in the next second`,
      stat: 'Minimum',
      metrics: [[NAMESPACE, 'SlotsFree', 'Resource', resource]],
    },
    {
      title: `${names.join(', ')}: throttled, by RDS and by jeton`,
      metrics: [...rds, ...names.map(name => databaseMetric('ThrottledTurns', { database: name }))],
    },
  ]
}

/**
 * Returns RDS's own metric of throttled logins; undefined for a custom endpoint, whose first label is not the cluster's name,
 * and for proxies and shard groups, which have no such metric.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
function rdsThrottling({ kind, host, region, account }: Database): Metric | undefined {
  const [identifier = '', endpointType = ''] = host.split('.')
  const dimension = { instance: 'DBInstanceIdentifier', cluster: 'DBClusterIdentifier' }[kind as string]
  if (dimension === undefined || endpointType.startsWith('cluster-custom-')) return undefined
  const label = `RDS: ${identifier}`
  return [
    'AWS/RDS',
    'IamDbAuthConnectionFailureThrottling',
    dimension,
    identifier,
    { region, accountId: account, label },
  ]
}

const NAMESPACE = `$\{Namespace}`
const ownMetric = (name: string): Metric => [NAMESPACE, name]
const databaseMetric = (
  name: string,
  { database, ...options }: { database: string; id?: string; visible?: boolean },
): Metric => [NAMESPACE, name, 'Database', database, options]
const apiMetric = (name: string, options = {}): Metric => [
  'AWS/ApiGateway',
  name,
  'ApiId',
  `$\{HttpApi}`,
  options,
]
const ownMetrics = (name: string, dimension: string): Metric => [
  { expression: `SEARCH('{${NAMESPACE},${dimension}} MetricName="${name}"', 'Sum')`, label: '' },
]
