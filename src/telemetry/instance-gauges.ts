import { type GaugeSource, inSeconds } from './gauge-source.ts'
import type { ExpiryReading, Readings } from './readings.ts'

/** Returns the gauges of the configuration, and of what ends or grows old. */
export function instanceGauges(readings: Readings): GaugeSource[] {
  const { configuration, expiries, issuerKeys } = readings
  const endsOf = (kind: ExpiryReading['kind'], label: string) => () =>
    expiries()
      .filter(expiry => expiry.kind === kind)
      .map(({ of, notAfter }) => ({ labels: { [label]: of }, value: inSeconds(notAfter) }))
  return [
    {
      name: 'jeton_configuration_loaded_timestamp_seconds',
      help: 'When the configuration in use was loaded',
      read: () => [{ value: inSeconds(configuration().loadedAt) }],
    },
    {
      name: 'jeton_configuration_reload_timestamp_seconds',
      help: 'When the last reload was, whether it succeeded or not; no series if there was none since the start',
      read() {
        const { lastReload } = configuration()
        return lastReload ? [{ value: inSeconds(lastReload.at) }] : []
      },
    },
    {
      name: 'jeton_configuration_reload_successful',
      help: '1 unless the last reload failed and the configuration before it stays in use',
      read: () => [{ value: configuration().lastReload?.isOk === false ? 0 : 1 }],
    },
    {
      name: 'jeton_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of a listener ends',
      labelNames: ['of'],
      read: endsOf('certificate', 'of'),
    },
    {
      name: 'jeton_ca_bundle_expiry_timestamp_seconds',
      help: 'When the first certificate of a CA bundle ends that databases of the configuration need',
      labelNames: ['bundle'],
      read: endsOf('ca-bundle', 'bundle'),
    },
    {
      name: 'jeton_issuer_keys_fetched_timestamp_seconds',
      help: 'When the last good keys of an issuer were fetched; they are fetched only if JWTs need them',
      labelNames: ['issuer'],
      read: () =>
        issuerKeys().flatMap(({ issuer, fetchedAt }) =>
          fetchedAt === undefined ? [] : [{ labels: { issuer }, value: inSeconds(fetchedAt) }],
        ),
    },
    {
      name: 'jeton_issuer_keys_failing',
      help: '1 for each issuer whose keys could not be fetched when they were last needed, 0 for the others',
      labelNames: ['issuer'],
      read: () =>
        issuerKeys().flatMap(({ issuer, isPinned, isFailing }) =>
          isPinned ? [] : [{ labels: { issuer }, value: Number(isFailing) }],
        ),
    },
  ]
}
