/** Series by name and labels, with their values in promtool's notation: one each minute. */
type Series = Readonly<Record<string, string>>

/** What one alert is to do with some series. */
export interface AlertCase {
  readonly alert: string
  readonly what: string
  readonly series: Series
  /** When to look, such as `20m`; 30 minutes after the first value unless given. */
  readonly at?: string
  /** The labels of each alert that fires, without severity; none if it has to stay quiet. */
  readonly fires: readonly Readonly<Record<string, string>>[]
}

const A = 'job="jeton",instance="a:9464"'
const B = 'job="jeton",instance="b:9464"'
const ofA = { job: 'jeton', instance: 'a:9464' }
const UP = { [`up{${A}}`]: '1x60' }
const ORDERS = { resource: 'db-ORDERS' }
const LIMIT = { [`jeton_slots_per_second{${A},resource="db-ORDERS"}`]: '16x60' }
const NOW_DELIVERED = `jeton_new_tokens_total{${A},resource="db-ORDERS"}`
const DAY = 86_400

/** A timestamp that does not change, `seconds` after the moment at which alerts are looked at. */
const in30m = (seconds: number) => `${30 * 60 + seconds}x60`

const fires = (
  alert: string,
  what: string,
  series: Series,
  ...labels: Readonly<Record<string, string>>[]
): AlertCase => ({ alert, what, series, fires: labels })
const isQuiet = (alert: string, what: string, series: Series): AlertCase => ({
  alert,
  what,
  series,
  fires: [],
})

const decisions = (labels: string) => `jeton_decisions_total{${A},${labels}}`
const batches = (ok: boolean, sink: string) =>
  `jeton_audit_append_seconds_count{${A},sink="${sink}",ok="${ok}"}`
const degraded = (dependency: string) => `jeton_degraded{${A},dependency="${dependency}"}`
const queue = (grant: string) => `jeton_slot_queue_length{${A},resource="db-ORDERS",grant="${grant}"}`
const readAt = (instance: string) =>
  `jeton_slots_read_timestamp_seconds{job="jeton",instance="${instance}",resource="db-ORDERS"}`
const throttled = decisions('decision="refused",code="throttled",database="orders"')
const denied = decisions('decision="refused",code="access_denied",database=""')
const roleRefused = decisions('decision="failed",code="role_refused",database="orders"')
const bug = decisions('decision="failed",code="internal_error",database="orders"')
const unavailable = decisions('decision="failed",code="temporarily_unavailable",database="orders"')
const latency = (le: string) => `jeton_token_request_seconds_bucket{${A},le="${le}"}`
const cut = (reason: string) => `jeton_connections_cut_total{${A},reason="${reason}"}`
const certificate = `jeton_certificate_expiry_timestamp_seconds{${A},of="server"}`
const bundle = (instance: string) =>
  `jeton_ca_bundle_expiry_timestamp_seconds{${instance},bundle="us-east-1"}`
const keys = `jeton_issuer_keys_fetched_timestamp_seconds{${A},issuer="ci"}`
const keysFail = (issuer = 'ci') => `jeton_issuer_keys_failing{${A},issuer="${issuer}"}`
const reloaded = `jeton_configuration_reload_successful{${A}}`
const unreadable = `jeton_store_unreadable_total{${A}}`
const clock = `jeton_clock_offset_seconds{${A}}`
const build = (instance: string, version: string) =>
  `jeton_build_info{${instance},version="${version}",node="24"}`

/** For each alert of `deploy/prometheus-rules.yml`, when it must fire and when it must not. */
export const ALERT_CASES: readonly AlertCase[] = [
  fires('JetonDown', 'nothing is scraped', {}, {}),
  fires('JetonDown', 'every instance is down', { [`up{${A}}`]: '0x60', [`up{${B}}`]: '0x60' }, {}),
  isQuiet('JetonDown', 'one instance of two answers', { [`up{${A}}`]: '0x60', [`up{${B}}`]: '1x60' }),
  fires('JetonInstanceDown', 'one of two is down', { [`up{${A}}`]: '0x60', [`up{${B}}`]: '1x60' }, ofA),
  isQuiet('JetonInstanceDown', 'a restart takes two minutes', { [`up{${A}}`]: '1x26 0x1 1x30' }),
  isQuiet('JetonInstanceDown', 'another job is down', { 'up{job="node",instance="a:9100"}': '0x60' }),
  {
    ...fires('JetonVersionsDiffer', 'an upgrade stopped half-way', {}, { job: 'jeton' }),
    series: { [build(A, '1.0.0')]: '1x500', [build(B, '1.1.0')]: '1x500' },
    at: '7h',
  },
  isQuiet('JetonVersionsDiffer', 'an upgrade goes on', {
    [build(A, '1.0.0')]: '1x60',
    [build(B, '1.1.0')]: '1x60',
  }),

  fires(
    'JetonAuditSinkFailing',
    'one of two sinks fails again and again',
    { ...UP, [batches(false, 'file')]: '0+5x60', [batches(true, 'dynamodb')]: '0+5x60' },
    { ...ofA, sink: 'file' },
  ),
  fires(
    'JetonAuditSinkFailing',
    'a batch fails for the first time since the start',
    { ...UP, [batches(false, 'file')]: '_x28 1x30' },
    { ...ofA, sink: 'file' },
  ),
  isQuiet('JetonAuditSinkFailing', 'a sink failed an hour ago', { ...UP, [batches(false, 'file')]: '7x60' }),
  isQuiet('JetonAuditSinkFailing', 'Prometheus is new, and a sink failed before', {
    [`up{${A}}`]: '_x28 1x30',
    [batches(false, 'file')]: '_x28 7x30',
  }),
  isQuiet('JetonAuditSinkFailing', 'every batch is written', { ...UP, [batches(true, 'file')]: '0+50x60' }),
  fires(
    'JetonAuditLogDegraded',
    'a sink hangs',
    { ...UP, [degraded('log')]: '0x20 1x40' },
    { ...ofA, dependency: 'log' },
  ),
  isQuiet('JetonAuditLogDegraded', 'the other alert says that a sink fails', {
    ...UP,
    [degraded('log')]: '1x60',
    [batches(false, 'file')]: '0+5x60',
  }),
  isQuiet('JetonAuditLogDegraded', 'STS fails', {
    ...UP,
    [degraded('log')]: '0x60',
    [degraded('sts')]: '1x60',
  }),

  fires('JetonCallersThrottled', 'for ten minutes', { [throttled]: '0x18 0+4x42' }, { database: 'orders' }),
  isQuiet('JetonCallersThrottled', 'a burst after a deploy is over', { [throttled]: '0x25 50x30' }),
  isQuiet('JetonCallersThrottled', 'others are refused', { [denied]: '0+40x60' }),
  fires(
    'JetonHeadroomNearlyUsed',
    'two instances together are over it',
    {
      ...LIMIT,
      [NOW_DELIVERED]: '0+420x60',
      [`jeton_new_tokens_total{${B},resource="db-ORDERS"}`]: '0+420x60',
    },
    ORDERS,
  ),
  isQuiet('JetonHeadroomNearlyUsed', 'half of it is used', { ...LIMIT, [NOW_DELIVERED]: '0+480x60' }),
  isQuiet('JetonHeadroomNearlyUsed', 'all of it is used for five minutes', {
    ...LIMIT,
    [NOW_DELIVERED]: '0x25 0+900x35',
  }),
  fires(
    'JetonQueueNotDraining',
    'somebody waits at every look',
    { [queue('a')]: '0x10 3x50', [queue('b')]: '2x60', [NOW_DELIVERED]: '0+900x60' },
    ORDERS,
  ),
  isQuiet('JetonQueueNotDraining', 'nobody waits now and then', {
    [queue('a')]: '5x25 0 5x34',
    [NOW_DELIVERED]: '0+900x60',
  }),
  fires(
    'JetonQueueStuck',
    'no token is delivered',
    { [queue('a')]: '0x25 4x35', [NOW_DELIVERED]: '70x60' },
    ORDERS,
  ),
  isQuiet('JetonQueueStuck', 'tokens are delivered', { [queue('a')]: '4x60', [NOW_DELIVERED]: '0+60x60' }),
  isQuiet('JetonQueueStuck', 'nobody waits', { [queue('a')]: '0x60', [NOW_DELIVERED]: '70x60' }),
  fires(
    'JetonHeadroomReadingOld',
    'tokens are delivered, and nobody reads the record',
    { ...LIMIT, [readAt('a:9464')]: in30m(-900), [NOW_DELIVERED]: '0+60x60' },
    ORDERS,
  ),
  fires(
    'JetonHeadroomReadingOld',
    'the reading is of the future',
    { [readAt('a:9464')]: in30m(300) },
    ORDERS,
  ),
  isQuiet('JetonHeadroomReadingOld', 'another instance has read it just now', {
    ...LIMIT,
    [readAt('a:9464')]: in30m(-900),
    [readAt('b:9464')]: in30m(-5),
    [NOW_DELIVERED]: '0+60x60',
  }),
  isQuiet('JetonHeadroomReadingOld', 'nobody has wanted a new token for a quarter of an hour', {
    ...LIMIT,
    [readAt('a:9464')]: in30m(-900),
    [NOW_DELIVERED]: '70x60',
    [queue('a')]: '0x60',
  }),

  fires(
    'JetonRoleRefused',
    'for the first time',
    { ...UP, [roleRefused]: '_x28 1x30' },
    { database: 'orders', code: 'role_refused' },
  ),
  fires(
    'JetonRoleRefused',
    'again',
    { ...UP, [roleRefused]: '3x28 4x30' },
    { database: 'orders', code: 'role_refused' },
  ),
  isQuiet('JetonRoleRefused', 'STS does not answer, and the role was refused an hour ago', {
    ...UP,
    [unavailable]: '0+5x60',
    [roleRefused]: '3x60',
  }),
  fires(
    'JetonDegraded',
    'STS fails',
    { [degraded('sts')]: '0x20 1x40', [degraded('store')]: '0x60' },
    { ...ofA, dependency: 'sts' },
  ),
  isQuiet('JetonDegraded', 'STS fails for two minutes', { [degraded('sts')]: '0x27 1x1 0x30' }),
  fires('JetonStoreUnreadable', 'a record cannot be decrypted', { [unreadable]: '0x25 1x35' }, ofA),
  isQuiet('JetonStoreUnreadable', 'it was long ago', { [unreadable]: '4x60' }),
  fires(
    'JetonInternalErrors',
    'for the first time',
    { ...UP, [bug]: '_x28 1x30' },
    { database: 'orders', code: 'internal_error' },
  ),
  isQuiet('JetonInternalErrors', 'only the store fails', { ...UP, [unavailable]: '0+5x60' }),
  fires(
    'JetonManyRefusals',
    'for ten minutes',
    { [denied]: '0+30x60' },
    { job: 'jeton', code: 'access_denied' },
  ),
  isQuiet('JetonManyRefusals', 'a few', { [denied]: '0+10x60', [throttled]: '0+90x60' }),
  fires(
    'JetonSlow',
    'one in fifty takes 5 s',
    { [latency('2.5')]: '0+98x60', [latency('5')]: '0+100x60', [latency('+Inf')]: '0+100x60' },
    { job: 'jeton' },
  ),
  isQuiet('JetonSlow', 'one in a thousand does', {
    [latency('2.5')]: '0+999x60',
    [latency('5')]: '0+1000x60',
    [latency('+Inf')]: '0+1000x60',
  }),
  fires('JetonClockCorrected', 'it is behind', { [clock]: '-4.5x60' }, ofA),
  isQuiet('JetonClockCorrected', 'it is right again', { [clock]: '3x25 0x35' }),
  fires(
    'JetonConnectionsCut',
    'new ones are refused',
    { [cut('refused')]: '0+6x60' },
    { ...ofA, reason: 'refused' },
  ),
  isQuiet('JetonConnectionsCut', 'one a minute', { [cut('idle')]: '0+1x60' }),

  fires('JetonReloadFailed', 'until one succeeds', { [reloaded]: '1x10 0x50' }, ofA),
  isQuiet('JetonReloadFailed', 'the next one succeeded', { [reloaded]: '0x28 1x30' }),
  fires(
    'JetonCertificateEndsSoon',
    'in 13 days',
    { [certificate]: in30m(13 * DAY) },
    { ...ofA, of: 'server' },
  ),
  isQuiet('JetonCertificateEndsSoon', 'in 15 days', { [certificate]: in30m(15 * DAY) }),
  fires('JetonCertificateEnds', 'it has ended', { [certificate]: in30m(-DAY) }, { ...ofA, of: 'server' }),
  isQuiet('JetonCertificateEnds', 'in 3 days', { [certificate]: in30m(3 * DAY) }),
  {
    ...fires('JetonCaBundleEndsSoon', 'in 80 days', {}, { bundle: 'us-east-1' }),
    series: { [bundle(A)]: `${80 * DAY}x120`, [bundle(B)]: `${80 * DAY}x120` },
    at: '2h',
  },
  isQuiet('JetonCaBundleEndsSoon', 'in 100 days', { [bundle(A)]: in30m(100 * DAY) }),
  fires(
    'JetonIssuerKeysOld',
    'and it does not answer',
    { [keys]: in30m(-2 * 3600), [keysFail()]: '1x60' },
    { ...ofA, issuer: 'ci' },
  ),
  isQuiet('JetonIssuerKeysOld', 'and nobody asks for them', {
    [keys]: in30m(-2 * DAY),
    [keysFail()]: '0x60',
  }),
  isQuiet('JetonIssuerKeysOld', 'another issuer does not answer', {
    [keys]: in30m(-2 * DAY),
    [keysFail()]: '0x60',
    [keysFail('other')]: '1x60',
    [degraded('keys')]: '1x60',
  }),
  fires(
    'JetonIssuerKeysEnd',
    'after half a day',
    { [keys]: in30m(-13 * 3600), [keysFail()]: '1x60' },
    { ...ofA, issuer: 'ci' },
  ),
  isQuiet('JetonIssuerKeysEnd', 'after two hours', { [keys]: in30m(-2 * 3600), [keysFail()]: '1x60' }),
  isQuiet('JetonIssuerKeysEnd', 'another issuer does not answer', {
    [keys]: in30m(-2 * DAY),
    [keysFail()]: '0x60',
    [keysFail('other')]: '1x60',
    [degraded('keys')]: '1x60',
  }),
]
