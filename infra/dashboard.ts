import { type Database, resourceKey } from '../src/rds/database.ts'

/** RDS's own: so many logins a second with tokens of different identities. */
const RDS_PER_SECOND = 20
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
 * The dashboard of the stack, as JSON for `Fn::Sub`: what became of requests, what fails, and for each resource of RDS how
 * much of its limit on new tokens is used.
 */
export function dashboardBody(databases: readonly Database[]): string {
  const rows: Graph[][] = [
    [
      { title: 'Requests for tokens', metrics: ['Vended', 'Refused', 'Failed'].map(ours) },
      { title: 'What was not vended, by code', metrics: [everyOf('ByCode', 'Code')] },
      {
        title: 'Time to answer (ms)',
        stat: 'p99',
        metrics: [ofApi('Latency', { label: 'p99' }), ofApi('Latency', { label: 'median', stat: 'p50' })],
      },
    ],
    [
      {
        title: 'What fails',
        metrics: ['AuditFailures', 'StsFailures', 'StoreFailures', 'KmsFailures', 'KeySetFailures'].map(ours),
      },
      {
        title: 'What an operator has to mend',
        metrics: ['UnreadableRecords', 'BrokenConfigurations', 'FailedStarts', 'ClockCorrections'].map(ours),
      },
      { title: 'Errors of the API', metrics: [ofApi('5xx'), ofApi('4xx')] },
    ],
    ...sharing(databases).map(graphsOf),
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

/** Databases of one resource have one limit together. */
function sharing(databases: readonly Database[]): Database[][] {
  const groups = new Map<string, Database[]>()
  for (const database of databases) {
    const key = resourceKey(database)
    groups.set(key, [...(groups.get(key) ?? []), database])
  }
  return [...groups.values()]
}

function graphsOf(group: readonly Database[]): Graph[] {
  const names = group.map(({ name }) => name)
  const perSecond = Math.min(...group.map(({ newTokensPerSecond }) => newTokensPerSecond))
  const rds = distinct(group.map(throttledByRds).filter(metric => metric !== undefined))
  return [
    {
      title: `${names.join(', ')}: new tokens a minute`,
      metrics: [
        ...names.map((name, i) =>
          ofDatabase('NewTokens', name, { id: `new${i}`, visible: names.length === 1 }),
        ),
        ...(names.length > 1 ? [[{ expression: 'SUM(METRICS("new"))', label: 'together' }]] : []),
      ],
      limits: [
        { label: 'the pace of jeton', value: perSecond * 60 },
        { label: "RDS's own limit", value: RDS_PER_SECOND * 60 },
      ],
    },
    {
      title: `${names.join(', ')}: throttled, by RDS and by jeton before it`,
      metrics: [...rds, ...names.map(name => ofDatabase('ThrottledTurns', name))],
    },
  ]
}

/**
 * RDS names instances and clusters by the first label of their endpoints. Custom endpoints have a name of their own there;
 * proxies and shard groups have no such metric.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
function throttledByRds({ kind, host, region, account }: Database): Metric | undefined {
  const [identifier = '', mark = ''] = host.split('.')
  const dimension = { instance: 'DBInstanceIdentifier', cluster: 'DBClusterIdentifier' }[kind as string]
  if (dimension === undefined || mark.startsWith('cluster-custom-')) return undefined
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
const ours = (name: string): Metric => [NAMESPACE, name]
const ofDatabase = (name: string, database: string, how = {}): Metric => [
  NAMESPACE,
  name,
  'Database',
  database,
  how,
]
const ofApi = (name: string, how = {}): Metric => ['AWS/ApiGateway', name, 'ApiId', `$\{HttpApi}`, how]
const everyOf = (name: string, dimension: string): Metric => [
  { expression: `SEARCH('{${NAMESPACE},${dimension}} MetricName="${name}"', 'Sum')`, label: '' },
]

function distinct(metrics: readonly Metric[]): Metric[] {
  return [...new Map(metrics.map(metric => [JSON.stringify(metric), metric])).values()]
}
