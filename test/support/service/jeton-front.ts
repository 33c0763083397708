import { serveOnLoopback } from '../../../src/dev/loopback-server.ts'
import { readText } from '../../../src/lib/process-input.ts'

/** A request for a token, and the status of its answer. */
export interface TokenRequest {
  readonly body: Readonly<Record<string, unknown>>
  readonly status: number
}

/** An answer that jeton never gave. */
export interface FakedAnswer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

/** What stands before a jeton server. */
export interface JetonFront {
  readonly url: string
  /** What tokens were asked for so far, oldest first; a connection that was cut counts with a status of 0. */
  readonly requests: readonly TokenRequest[]
  /** Every token that went through: secrets to look for. */
  readonly tokens: ReadonlySet<string>
  /** What is answered in jeton's place to who asks for a token: nothing, by a cut connection, or something else. */
  answer: 'jeton' | 'cut' | FakedAnswer
  /** Where clients are told to connect to, as `host:port`, unless jeton is to say so. */
  connect: string | undefined
  close(): Promise<void>
}

/** Passes requests on, and puts `caPem` in the place of RDS's certificates, which no test has the keys of. */
export async function startJetonFront(jetonUrl: string, caPem: string): Promise<JetonFront> {
  const requests: TokenRequest[] = []
  const tokens = new Set<string>()
  const server = await serveOnLoopback(async (request, response) => {
    const text = await readText(request)
    const isForToken = request.method === 'POST'
    const reply = (answer: FakedAnswer) => {
      if (isForToken) requests.push({ body: JSON.parse(text), status: answer.status })
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(JSON.stringify(answer.body))
    }
    if (front.answer === 'cut') {
      if (isForToken) requests.push({ body: JSON.parse(text), status: 0 })
      return void response.destroy()
    }
    if (front.answer !== 'jeton' && isForToken) return reply(front.answer)
    const { authorization = '', 'content-type': type = '' } = request.headers
    const answer = await fetch(`${jetonUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(text !== '' && { body: text }),
    })
    const body = (await answer.json()) as { token?: string; connect?: string; ca?: { pem?: string } }
    if (body.token !== undefined) tokens.add(body.token)
    if (front.connect !== undefined) body.connect = front.connect
    if (body.ca?.pem !== undefined) body.ca.pem = caPem
    const retryAfter = answer.headers.get('retry-after')
    const headers = { 'content-type': answer.headers.get('content-type') ?? '' }
    reply({
      status: answer.status,
      body,
      headers: { ...headers, ...(retryAfter !== null && { 'retry-after': retryAfter }) },
    })
  })
  const { url, close } = server
  const front: JetonFront = { url, requests, tokens, answer: 'jeton', connect: undefined, close }
  return front
}
