import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a test may break, and mend again, at any time. */
export interface S3Faults {
  /** Connections are reset. */
  gone: boolean
  /** Takes requests and never answers. */
  hanging: boolean
  /** 403 AccessDenied, whatever is asked. */
  denied: boolean
}

export interface S3 {
  readonly url: string
  readonly faults: S3Faults
  /** `GET bucket/key`, in the order they came. */
  readonly calls: string[]
  put(path: `${string}/${string}`, text: string): void
  remove(path: string): void
  /** What a process needs to find this S3. */
  environment(): Record<string, string>
  close(): Promise<void>
}

/**
 * A stand-in for S3 on loopback: GetObject and HeadObject of objects by `bucket/key`, path-style, as the SDK asks where the
 * endpoint is an address. It wants a signature of Version 4 and believes any. Who asks for what is not there is told so
 * only with the right to list the bucket, which nobody has here: 403, as S3 does it.
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
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    faults,
    calls,
    put: (path, text) => void objects.set(path, text),
    remove: path => void objects.delete(path),
    environment: () => ({ AWS_ENDPOINT_URL_S3: url }),
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
