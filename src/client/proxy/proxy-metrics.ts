import { counter, gauge, type Metric, type MetricSample } from '../daemon/metric.ts'
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
  const count = (of: (counts: DatabaseCounts) => number) => each(({ counts }) => [{ value: of(counts) }])
  return [
    gauge('jeton_proxy_sessions', {
      help: 'Sessions that are logged in now',
      samples: each(({ counts: { opened, ended } }) => [{ value: opened - ended }]),
    }),
    counter('jeton_proxy_sessions_total', {
      help: 'Sessions that were logged in',
      samples: count(({ opened }) => opened),
    }),
    counter('jeton_proxy_sessions_failed_total', {
      help: 'Clients that got no session, by the reason',
      samples: each(({ counts }) =>
        [...counts.failed].map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    }),
    counter('jeton_proxy_bytes_total', {
      help: 'Bytes of the sessions that have ended, as clients see them',
      samples: each(({ counts }) => [
        { labels: { to: 'server' }, value: counts.bytesToServer },
        { labels: { to: 'client' }, value: counts.bytesToClient },
      ]),
    }),
    counter('jeton_proxy_tokens_total', {
      help: 'Tokens that jeton gave',
      samples: count(counts => counts.tokensReceived),
    }),
    counter('jeton_proxy_tokens_failed_total', {
      help: 'Times that jeton gave none',
      samples: count(counts => counts.tokensFailed),
    }),
    counter('jeton_proxy_tokens_refused_total', {
      help: 'Times that a database refused a token and jeton was told',
      samples: count(counts => counts.tokensRefused),
    }),
    gauge('jeton_proxy_token_seconds_left', {
      help: 'How long the last token still lasts; negative once it has ended, which is no fault while nobody logs in',
      samples: each(watch => {
        const leftMs = watch.tokenLeftMs()
        return leftMs === undefined ? [] : [{ value: Math.round(leftMs / 1000) }]
      }),
    }),
    gauge('jeton_proxy_connections', {
      help: 'Clients that are connected, logged in or not',
      samples: [{ value: connections }],
    }),
    gauge('jeton_proxy_max_connections', {
      help: 'What --max-connections says',
      samples: [{ value: maxConnections }],
    }),
  ]
}
