import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOnLoopback } from '../loopback-server.ts'

/** Faults that a test can set and clear at any time. */
export interface S3Faults {
  /** Connections are reset. */
  gone: boolean
  /** Requests are never answered. */
  hanging: boolean
  /** 403 AccessDenied for every request. */
  denied: boolean
}

export interface S3 {
  readonly url: string
  readonly faults: S3Faults
  /** `GET bucket/key`, in order of arrival. */
  readonly calls: string[]
  put(path: `${string}/${string}`, text: string): void
  remove(path: string): void
  /** Environment variables that lead a process to this S3. */
  environment(): Record<string, string>
  close(): Promise<void>
}

/**
 * Starts a stand-in for S3 on loopback: GetObject and HeadObject by `bucket/key`, path-style, as the SDK does if the endpoint
 * is an IP address. A request must have a SigV4 signature, which is not verified. A missing object is 403, as in S3 if the
 * caller may not list the bucket.
 */
export async function startS3(): Promise<S3> {
  const objects = new Map<string, string>()
  const calls: string[] = []
  const faults: S3Faults = { gone: false, hanging: false, denied: false }

  function serve({ method = '', url = '', headers, socket }: IncomingMessage, response: ServerResponse) {
    const path = decodeURIComponent(new URL(url, 'http://s3').pathname.slice(1))
    calls.push(`${method} ${path}`)
    if (faults.gone) return void socket.destroy()
    if (faults.hanging) return
    const text = objects.get(path)
    const isSigned = /^AWS4-HMAC-SHA256 Credential=.+\/s3\/aws4_request/.test(headers.authorization ?? '')
    if (!isSigned || faults.denied || text === undefined) {
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
    put: (path, text) => void objects.set(path, text),
    remove: path => void objects.delete(path),
    environment: () => ({ AWS_ENDPOINT_URL_S3: url }),
    close,
  }
}
