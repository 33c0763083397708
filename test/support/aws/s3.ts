import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'

/** The account that owns every bucket. */
export const BUCKET_OWNER = '123456789012'

/** Faults that a test can set and clear at any time. */
export interface S3Faults {
  /** Connections are reset. */
  gone: boolean
  /** Requests are never answered. */
  hanging: boolean
  /** 403 AccessDenied for every request. */
  denied: boolean
  /** The account that owns every bucket, if it is not `BUCKET_OWNER`. */
  owner: string
}

export interface S3 {
  readonly url: string
  readonly faults: S3Faults
  /** `GET bucket/key`, in order of arrival. */
  readonly calls: string[]
  /** The bucket's owner that each of them expects. */
  readonly owners: (string | undefined)[]
  put(path: `${string}/${string}`, text: string): void
  remove(path: string): void
  /** Environment variables that lead a process to this S3. */
  environment(): Record<string, string>
  close(): Promise<void>
}

/**
 * Starts a stand-in for S3 on loopback: GetObject and HeadObject by `bucket/key`, path-style, as the SDK does if the endpoint
 * is an IP address, or with the bucket as a subdomain of `s3.example`. A request must have a SigV4 signature, which is not verified. A missing object is 403, as in S3 if the
 * caller may not list the bucket, and so is a request that expects another owner.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
export async function startS3(): Promise<S3> {
  const objects = new Map<string, string>()
  const calls: string[] = []
  const owners: (string | undefined)[] = []
  const faults: S3Faults = { gone: false, hanging: false, denied: false, owner: BUCKET_OWNER }

  function serve({ method = '', url = '', headers, socket }: IncomingMessage, response: ServerResponse) {
    const key = decodeURIComponent(new URL(url, 'http://s3').pathname.slice(1))
    const [, bucket] = /^([\w-]+)\.s3\.example$/.exec(headers.host ?? '') ?? []
    const path = bucket === undefined ? key : `${bucket}/${key}`
    calls.push(`${method} ${path}`)
    const expected = headers['x-amz-expected-bucket-owner']
    owners.push(expected?.toString())
    if (faults.gone) return void socket.destroy()
    if (faults.hanging) return
    const text = objects.get(path)
    const isSigned = /^AWS4-HMAC-SHA256 Credential=.+\/s3\/aws4_request/.test(headers.authorization ?? '')
    const { owner } = faults
    const isOwned = (expected ?? owner) === owner
    if (!isSigned || !isOwned || faults.denied || text === undefined) {
      const body =
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>s3cret</Message></Error>'
      return void response
        .writeHead(403, { 'content-type': 'application/xml' })
        .end(method === 'HEAD' ? undefined : body)
    }
    const etag = `"${createHash('md5').update(text).digest('hex')}"`
    response.writeHead(200, { etag, 'content-length': Buffer.byteLength(text) })
    response.end(method === 'HEAD' ? undefined : text)
  }

  const server = createServer(serve)
  const { url, close } = await listenOnLoopback(server)
  return {
    url,
    faults,
    calls,
    owners,
    put: (path, text) => void objects.set(path, text),
    remove: path => void objects.delete(path),
    environment: () => ({ AWS_ENDPOINT_URL_S3: url }),
    close,
  }
}
