import { posix, resolve } from 'node:path'
import { awsErrorFacts, describeAwsError } from '../../aws/errors.ts'
import { memoizeAsync } from '../../lib/single-flight.ts'
import { ConfigError } from '../problems.ts'
import { type ConfigSource, createConfigSource } from './source.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, loosely; ARNs of access points too */
const S3_URL = /^s3:\/\/([^/]+)\/(.*[^/])$/s

export function isS3Url(path: string): boolean {
  return path.startsWith('s3://')
}

/**
 * An object of a bucket, `s3://BUCKET/KEY`. Files that it names are objects of the same bucket, beside it; a path that
 * begins with `/` begins at the top of the bucket. Paths of files to be written are those of the machine. A version is an
 * ETag. Wants `s3:GetObject` alone. The client is loaded when first needed. Throws `ConfigError` where it is no such URL.
 */
export function createS3ConfigSource(url: string): ConfigSource {
  const [, bucket, key] = S3_URL.exec(url) ?? []
  if (bucket === undefined || key === undefined)
    throw new ConfigError([{ path: '', message: 'the configuration in S3 is named as s3://BUCKET/KEY' }])
  const opening = memoizeAsync(async () => (await import('../../aws/s3.ts')).openBucket(bucket))
  const keyOf = (path: string) => path.slice(`s3://${bucket}/`.length)
  return createConfigSource({
    path: url,
    beside: name => `s3://${bucket}${posix.resolve('/', posix.dirname(key), name)}`,
    local: name => resolve(name),
    get: async path => (await opening()).get(keyOf(path)),
    async version(path) {
      try {
        return await (await opening()).version(keyOf(path))
      } catch (cause) {
        // S3 tells of a missing object only who may list the bucket; to others it is forbidden
        if ([403, 404].includes(awsErrorFacts(cause).status ?? 0)) return undefined
        throw new Error(describeAwsError(cause))
      }
    },
    reason: describeAwsError,
  })
}
