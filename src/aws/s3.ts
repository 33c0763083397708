import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { withDeadline } from '../lib/deadline.ts'
import { createClientSettings, SHORT_CALLS } from './client.ts'
import { replaceRefusedCredentials } from './refused-credentials.ts'

/** The calls for one S3 bucket. */
export interface Bucket {
  /** Returns an object's text, and its ETag as the version. */
  get(key: string): Promise<{ text: string; version: string | undefined }>
  /** Returns the object's ETag. */
  version(key: string): Promise<string | undefined>
}

/**
 * Returns a bucket to read from, of the account `owner` alone: S3 answers 403 if the bucket is another's, which anybody may
 * create under a name that has become free. Its region need not be known. Every call ends within 2.5 s and rejects with the
 * SDK's errors, or with `TimeoutError` at the deadline. Replies do not correct the clock.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
export function openBucket({ bucket, owner }: { bucket: string; owner: string }): Bucket {
  const client = new S3Client({
    ...createClientSettings({ limits: SHORT_CALLS }),
    followRegionRedirects: true,
  })
  replaceRefusedCredentials(client)
  const owned = { Bucket: bucket, ExpectedBucketOwner: owner }
  return {
    get: key =>
      withDeadline(SHORT_CALLS.deadlineMs, async abortSignal => {
        const command = new GetObjectCommand({ ...owned, Key: key })
        const { Body, ETag } = await client.send(command, { abortSignal })
        return { text: (await Body?.transformToString()) ?? '', version: ETag }
      }),
    version: key =>
      withDeadline(SHORT_CALLS.deadlineMs, async abortSignal => {
        const command = new HeadObjectCommand({ ...owned, Key: key })
        return (await client.send(command, { abortSignal })).ETag
      }),
  }
}
