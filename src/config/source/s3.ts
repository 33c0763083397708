import { posix, resolve } from 'node:path'
import { awsErrorFacts, describeAwsError } from '../../aws/errors.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { ConfigError } from '../problems.ts'
import { type ConfigSource, createConfigSource } from './source.ts'

/** Loosely https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; ARNs of access points match too. */
const S3_URL = /^s3:\/\/([^/]+)\/(.*[^/])$/s

/** Whether a path is an `s3://` URL. Does not check that it is a valid one. */
export function isS3Url(path: string): boolean {
  return path.startsWith('s3://')
}

/**
 * Creates a source for an object in S3, `s3://BUCKET/KEY`. Files that it names are objects of the same bucket, relative to
 * KEY or, with a leading `/`, to the top of the bucket; files to be written are on this machine. A version is an ETag.
 * Needs only `s3:GetObject`. Loads the client on first use. Throws `ConfigError` for any other URL.
 */
export function createS3ConfigSource(url: string): ConfigSource {
  const [, bucket, key] = S3_URL.exec(url) ?? []
  if (bucket === undefined || key === undefined)
    throw new ConfigError([{ path: '', message: 'a configuration in S3 must be named as s3://BUCKET/KEY' }])
  const openedBucket = memoizeAsync(async () => (await import('../../aws/s3.ts')).openBucket(bucket))
  const keyOf = (path: string) => path.slice(`s3://${bucket}/`.length)
  return createConfigSource({
    path: url,
    resolve: name => `s3://${bucket}${posix.resolve('/', posix.dirname(key), name)}`,
    resolveLocal: name => resolve(name),
    get: async path => (await openedBucket()).get(keyOf(path)),
    async versionOf(path) {
      try {
        return await (await openedBucket()).version(keyOf(path))
      } catch (cause) {
        // S3 answers 403 for a missing object unless the caller may list the bucket
        if ([403, 404].includes(awsErrorFacts(cause).status ?? 0)) return undefined
        throw new Error(describeAwsError(cause))
      }
    },
    describeFailure: describeAwsError,
  })
}
