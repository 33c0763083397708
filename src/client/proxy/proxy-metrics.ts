import type { Metric, MetricSample } from '../daemon/daemon-health.ts'
import type { DatabaseCounts, DatabaseWatch } from './watch-database.ts'

/** Returns the metrics of a proxy. docs/proxy.md lists the names. */
export function proxyMetrics(
  watches: ReadonlyMap<string, DatabaseWatch>,
  { connections, maxConnections }: { connections: number; maxConnections: number },
): readonly Metric[] {
  const each = (sample: (watch: DatabaseWatch) => MetricSample[]): MetricSample[] =>
    [...watches].flatMap(([database, watch]) =>
      sample(watch).map(({ labels, value }) => ({ labels: { database, ...labels }, value })),
    )
  const counter = (name: string, help: string, of: (counts: DatabaseCounts) => number): Metric => ({
    name,
    help,
    type: 'counter',
    samples: each(({ counts }) => [{ value: of(counts) }]),
  })
  return [
    {
      name: 'jeton_proxy_sessions',
      help: 'Sessions that are logged in now',
      type: 'gauge',
      samples: each(({ counts: { opened, ended } }) => [{ value: opened - ended }]),
    },
    counter('jeton_proxy_sessions_total', 'Sessions that were logged in', ({ opened }) => opened),
    {
      name: 'jeton_proxy_sessions_failed_total',
      help: 'Clients that got no session, by the reason',
      type: 'counter',
      samples: each(({ counts }) =>
        [...counts.failed].map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    },
    {
      name: 'jeton_proxy_bytes_total',
      help: 'Bytes of the sessions that have ended, as clients see them',
      type: 'counter',
      samples: each(({ counts }) => [
        { labels: { to: 'server' }, value: counts.bytesToServer },
        { labels: { to: 'client' }, value: counts.bytesToClient },
      ]),
    },
    counter('jeton_proxy_tokens_total', 'Tokens that jeton gave', counts => counts.tokensReceived),
    counter('jeton_proxy_tokens_failed_total', 'Times that jeton gave none', counts => counts.tokensFailed),
    counter(
      'jeton_proxy_tokens_refused_total',
      'Times that a database refused a token and jeton was told',
      counts => counts.tokensRefused,
    ),
    {
      name: 'jeton_proxy_token_seconds_left',
      help: 'How long the last token still lasts; negative once it has ended, which is no fault while nobody logs in',
      type: 'gauge',
      samples: each(watch => {
        const leftMs = watch.tokenLeftMs()
        return leftMs === undefined ? [] : [{ value: Math.round(leftMs / 1000) }]
      }),
    },
    {
      name: 'jeton_proxy_connections',
      help: 'Clients that are connected, logged in or not',
      type: 'gauge',
      samples: [{ value: connections }],
    },
    {
      name: 'jeton_proxy_max_connections',
      help: 'What --max-connections says',
      type: 'gauge',
      samples: [{ value: maxConnections }],
    },
  ]
}
