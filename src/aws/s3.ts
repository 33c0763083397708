import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { withDeadline } from '../lib/deadline.ts'
import { createClientSettings, SHORT_CALLS } from './client.ts'

/** The calls for one S3 bucket. */
export interface Bucket {
  /** Returns an object's text, and its ETag as the version. */
  get(key: string): Promise<{ text: string; version: string | undefined }>
  /** Returns the object's ETag. */
  version(key: string): Promise<string | undefined>
}

/**
 * Returns a bucket to read from; its region need not be known. Every call ends within 2.5 s and rejects with the SDK's
 * errors, or with `TimeoutError` at the deadline. Replies do not correct the clock.
 */
export function openBucket(name: string): Bucket {
  const client = new S3Client({
    ...createClientSettings({ limits: SHORT_CALLS }),
    followRegionRedirects: true,
  })
  return {
    get: key =>
      withDeadline(SHORT_CALLS.deadlineMs, async abortSignal => {
        const command = new GetObjectCommand({ Bucket: name, Key: key })
        const { Body, ETag } = await client.send(command, { abortSignal })
        return { text: (await Body?.transformToString()) ?? '', version: ETag }
      }),
    version: key =>
      withDeadline(SHORT_CALLS.deadlineMs, async abortSignal => {
        const command = new HeadObjectCommand({ Bucket: name, Key: key })
        return (await client.send(command, { abortSignal })).ETag
      }),
  }
}
