import { posix, resolve } from 'node:path'
import { awsErrorFacts } from '../../aws/error-facts.ts'
import { explainAwsError } from '../../aws/errors.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { ConfigError } from '../problems.ts'
import { parseS3Url } from './s3-url.ts'
import { type ConfigSource, createConfigSource } from './source.ts'

const REMEDIES = new Map([
  [
    'AccessDenied',
    "jeton's own role needs s3:GetObject on it, and the bucket must be of the account in ?owner=",
  ],
  ['NoSuchKey', 'there is no such object in the bucket'],
  ['NoSuchBucket', 'there is no such bucket'],
  ['PermanentRedirect', 'the bucket is in another region or partition'],
])

/**
 * Creates a source for an object in S3, `s3://BUCKET/KEY?owner=ACCOUNT`. Files that it names are objects of the same bucket,
 * relative to KEY or, with a leading `/`, to the top of the bucket; files to be written are on this machine. A version is an
 * ETag. Needs only `s3:GetObject`. Loads the client on first use. Throws `ConfigError` for any other URL, and for one without
 * the account: whoever owns the bucket decides who gets tokens.
 */
export function createS3ConfigSource(url: string): ConfigSource {
  const { bucket, key, owner } = parseS3Url(url)
  if (owner === undefined)
    throw new ConfigError([
      {
        path: '',
        message: `${url} must say which account owns the bucket, so that no other's is read: ${url}?owner=123456789012`,
      },
    ])
  const openedBucket = memoizeAsync(async () =>
    (await import('../../aws/s3.ts')).openBucket({ bucket, owner }),
  )
  const keyOf = (path: string) => path.slice(`s3://${bucket}/`.length)
  return createConfigSource({
    path: `s3://${bucket}/${key}`,
    resolve: name => `s3://${bucket}${posix.resolve('/', posix.dirname(key), name)}`,
    resolveLocal: name => resolve(name),
    get: async path => (await openedBucket()).get(keyOf(path)),
    async versionOf(path) {
      try {
        return await (await openedBucket()).version(keyOf(path))
      } catch (cause) {
        // S3 answers 403 for a missing object unless the caller may list the bucket
        if ([403, 404].includes(awsErrorFacts(cause).status ?? 0)) return undefined
        throw new Error(explainAwsError(cause, REMEDIES))
      }
    },
    describeFailure: cause => explainAwsError(cause, REMEDIES),
  })
}
