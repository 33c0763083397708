import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { CreateTableCommand, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { awsEnvironment } from '../../../src/dev/aws/environment.ts'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'
import { plainItem } from './dynamodb-item.ts'
import { tablesOfTemplate } from './dynamodb-tables.ts'

/** One request on arrival, whatever its outcome. */
export interface DynamodbCall {
  readonly operation: string
  readonly table: string
  readonly at: number
}

/** Faults that a test can set and clear at any time. */
export interface DynamodbFaults {
  /** Connections are reset: new ones at once, open ones at their next request. */
  gone: boolean
  /** The delay before a request is carried out, which it is even if the client has given up by then. */
  delayMs: number
  /** 400 ProvisionedThroughputExceededException. */
  throttle: boolean
  /** 400 with this name, e.g. AccessDeniedException; its message quotes the signature, as AWS's messages do. */
  refuse: string | undefined
  /** 500 InternalServerError. */
  fail: boolean
  /** How far DynamoDB's clock is ahead of the machine's, in `Date`. */
  dateOffsetMs: number
  /** Carries out the next `times` requests, but breaks their connections before the reply. */
  dropReply(times: number): void
}

export interface Dynamodb {
  readonly url: string
  readonly port: number
  readonly faults: DynamodbFaults
  /** Every request, in order of arrival. */
  readonly calls: DynamodbCall[]
  /** Environment variables that lead a process to this DynamoDB. It accepts any credentials: let those of a stand-in STS override. */
  environment(): Record<string, string>
  /** Returns all items of a table, without regard to faults and without adding to `calls`. */
  items(table: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

const REGION = 'us-east-1'
const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTEST0000', secretAccessKey: 'any' }

/**
 * Starts a DynamoDB on loopback: dynalite, behind a proxy that can fail as networks and AWS do. It has the tables of
 * infra/tables.yml, without what dynalite lacks (TTL, recovery, encryption keys). It verifies no signatures.
 */
export async function startDynamodb(): Promise<Dynamodb> {
  const store = await listenOnLoopback(dynalite({ createTableMs: 0 }))
  const direct = new DynamoDBClient({
    endpoint: store.url,
    region: REGION,
    credentials: CREDENTIALS,
  })
  for (const table of await tablesOfTemplate()) await direct.send(new CreateTableCommand(table))

  const calls: DynamodbCall[] = []
  const underWay = new Set<Promise<Reply>>()
  const stopped = new AbortController()
  let repliesToDrop = 0
  const faults: DynamodbFaults = {
    gone: false,
    delayMs: 0,
    throttle: false,
    refuse: undefined,
    fail: false,
    dateOffsetMs: 0,
    dropReply(times) {
      repliesToDrop = times
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const body = await textOf(request)
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '')
    calls.push({ operation, table: tableOf(body), at: Date.now() })
    if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped.signal })
    if (faults.gone) return void request.socket.destroy()
    const reply = faultReply(request) ?? (await forward(request, body))
    if (repliesToDrop > 0) {
      repliesToDrop--
      return void request.socket.destroy()
    }
    const date = new Date(Date.now() + faults.dateOffsetMs).toUTCString()
    response.writeHead(reply.status, { ...reply.headers, date }).end(reply.body)
  }

  function faultReply({ headers }: IncomingMessage): Reply | undefined {
    const message = `the request was ${headers.authorization}`
    if (faults.throttle) return failure(400, { name: 'ProvisionedThroughputExceededException', message })
    if (faults.refuse !== undefined) return failure(400, { name: faults.refuse, message })
    if (faults.fail) return failure(500, { name: 'InternalServerError', message })
    return undefined
  }

  function forward({ headers }: IncomingMessage, body: string): Promise<Reply> {
    const reply = new Promise<Reply>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: store.port, method: 'POST', path: '/', headers }
      sendRequest(options, async response => {
        const { statusCode = 500, headers } = response
        resolve({ status: statusCode, headers, body: await textOf(response) })
      })
        .on('error', reject)
        .end(body)
    })
    underWay.add(reply)
    return reply.finally(() => underWay.delete(reply))
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.on('connection', socket => {
    if (faults.gone) socket.destroy()
  })
  const proxy = await listenOnLoopback(server)

  return {
    url: proxy.url,
    port: proxy.port,
    faults,
    calls,
    environment: () => ({
      ...awsEnvironment({ region: REGION, ...CREDENTIALS }),
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
    }),
    async items(table) {
      const items: Record<string, unknown>[] = []
      for await (const page of paginateScan({ client: direct }, { TableName: table, ConsistentRead: true }))
        items.push(...(page.Items ?? []).map(plainItem))
      return items
    },
    async close() {
      stopped.abort()
      await proxy.close()
      // dynalite throws what it cannot write any more, and nobody could catch it
      await Promise.allSettled(underWay)
      direct.destroy()
      await store.close()
    },
  }
}

interface Reply {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

function failure(status: number, { name, message }: { name: string; message: string }): Reply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'STANDIN' },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message }),
  }
}

/** The table of a request; of a batch, the first. */
function tableOf(body: string): string {
  const { TableName, RequestItems } = JSON.parse(body)
  return TableName ?? Object.keys(RequestItems ?? {})[0] ?? ''
}

async function textOf(stream: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk
  return text
}
