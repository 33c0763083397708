import { serveOnLoopback } from '../../../src/dev/loopback-server.ts'
import { readText } from '../../../src/lib/process-input.ts'

/** The body of a request, and the status of its answer. */
export interface PassedRequest {
  readonly body: Readonly<Record<string, unknown>>
  readonly status: number
}

export interface CaFront {
  readonly url: string
  /** What was asked for so far, oldest first. */
  readonly requests: readonly PassedRequest[]
  close(): Promise<void>
}

/**
 * Passes requests on to a jeton server, and replies back with `caPem` in place of RDS's certificates, which no test has the
 * keys of. Nothing else of a reply is changed.
 */
export async function startCaFront(jetonUrl: string, caPem: string): Promise<CaFront> {
  const requests: PassedRequest[] = []
  const server = await serveOnLoopback(async (request, response) => {
    const text = await readText(request)
    const { authorization = '', 'content-type': type = '' } = request.headers
    const answer = await fetch(`${jetonUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(text !== '' && { body: text }),
    })
    requests.push({ body: text === '' ? {} : JSON.parse(text), status: answer.status })
    const body = (await answer.json()) as { ca?: { pem?: string } }
    if (body.ca?.pem !== undefined) body.ca.pem = caPem
    const retryAfter = answer.headers.get('retry-after')
    response.writeHead(answer.status, {
      'content-type': answer.headers.get('content-type') ?? '',
      ...(retryAfter !== null && { 'retry-after': retryAfter }),
    })
    response.end(JSON.stringify(body))
  })
  return { url: server.url, requests, close: server.close }
}
