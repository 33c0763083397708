import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { withDeadline } from '../lib/deadline.ts'
import { createClientSettings } from './client.ts'

const TIMEOUTS = { connectTimeoutMs: 500, responseTimeoutMs: 1000 }
const DEADLINE_MS = 2500

export interface Bucket {
  /** Returns an object's text, and its ETag as the version. */
  get(key: string): Promise<{ text: string; version: string | undefined }>
  /** Returns the object's ETag. */
  version(key: string): Promise<string | undefined>
}

/**
 * Returns a bucket to read from, in whatever region it is. Every call ends within 2.5 s and rejects with the SDK's errors, or
 * with `TimeoutError` at the deadline. Replies do not correct the clock.
 */
export function openBucket(name: string): Bucket {
  const client = new S3Client({ ...createClientSettings(TIMEOUTS), followRegionRedirects: true })
  return {
    get: key =>
      withDeadline(DEADLINE_MS, async abortSignal => {
        const command = new GetObjectCommand({ Bucket: name, Key: key })
        const { Body, ETag } = await client.send(command, { abortSignal })
        return { text: (await Body?.transformToString()) ?? '', version: ETag }
      }),
    version: key =>
      withDeadline(DEADLINE_MS, async abortSignal => {
        const command = new HeadObjectCommand({ Bucket: name, Key: key })
        return (await client.send(command, { abortSignal })).ETag
      }),
  }
}
