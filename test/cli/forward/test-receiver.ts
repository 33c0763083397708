import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What a receiver answers; `hang` until it is closed. */
export type ReceiverAnswer = { status: number; headers?: Record<string, string>; body?: string } | 'hang'

export interface TestReceiver {
  readonly port: number
  readonly url: string
  /** All requests so far. */
  readonly requests: ReceivedRequest[]
  /** Decides on each request; 200 unless it is set. */
  answer: (request: ReceivedRequest) => ReceiverAnswer
  /** The ids of the records in the requests that were accepted, in order. */
  accepted(): string[]
  close(): Promise<void>
}

/** Starts a receiver on loopback, which is closed when the test is over. */
export async function startReceiver(atPort = 0): Promise<TestReceiver> {
  const requests: ReceivedRequest[] = []
  const accepted: string[] = []
  const server = createServer((message, response) => {
    let body = ''
    message.setEncoding('utf8').on('data', chunk => {
      body += chunk
    })
    message.on('end', () => {
      const { method = '', url = '', headers } = message
      const request = { method, url, headers, body }
      requests.push(request)
      const answer = receiver.answer(request)
      if (answer === 'hang') return
      if (answer.status < 300) accepted.push(...idsIn(request))
      response.writeHead(answer.status, answer.headers).end(answer.body)
    })
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(atPort, '127.0.0.1', resolve),
  )
  const { port } = server.address() as AddressInfo
  const receiver: TestReceiver = {
    port,
    url: `http://127.0.0.1:${port}/in`,
    requests,
    answer: () => ({ status: 200 }),
    accepted: () => [...accepted],
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  onTestFinished(() => receiver.close())
  return receiver
}

/** Returns the ids of the records in a request, in either form. */
export function idsIn({ body }: Pick<ReceivedRequest, 'body'>): string[] {
  const events = body.startsWith('[')
    ? JSON.parse(body)
    : body
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
  return events.map(({ id, metadata }: { id?: string; metadata?: { uid: string } }) => id ?? metadata?.uid)
}
