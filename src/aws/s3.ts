import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { withDeadline } from '../lib/deadline.ts'

const CONNECT_TIMEOUT_MS = 500
const ANSWER_TIMEOUT_MS = 1000
/** For all of it: the SDK's search for credentials has no end by itself. */
const DEADLINE_MS = 2500

export interface Bucket {
  get(key: string): Promise<{ text: string; version: string | undefined }>
  /** The object's ETag. */
  version(key: string): Promise<string | undefined>
}

/**
 * A bucket to read from, wherever it is. Every call ends within 2.5 s and rejects with the SDK's errors, or `TimeoutError`.
 * The SDK finds credentials, region and endpoint in its own environment.
 */
export function openBucket(name: string): Bucket {
  const client = new S3Client({
    maxAttempts: 2,
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  })
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
