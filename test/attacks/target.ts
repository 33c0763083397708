import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { onTestFinished, vi } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { isJsonObject, type JsonObject } from '../../src/lib/json.ts'
import { createService, type Service, type ServiceOptions } from '../../src/service.ts'
import { stubEnvironment } from '../support/aws/stub-environment.ts'
import { openConnection } from '../support/raw-http/connection.ts'
import type { RawReply } from '../support/raw-http/raw-reply.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import { createSigner, type Signer } from './signer.ts'

/** One request of an attacker. Without a member, it is a flawless request for a token, but for its credential. */
export interface Attack {
  method?: string
  path?: string
  /** The credential, after `Bearer `. */
  jwt?: string
  authorization?: string
  /** One unless given. */
  hosts?: readonly string[]
  /** Sent as they are, after the others: a name may come twice. */
  headers?: readonly (readonly [name: string, value: string])[]
  /** An object is sent as JSON, text as it is. */
  body?: object | string
}

/** What came of an attack: the reply, and the record that its request id names. */
export interface Outcome {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly code: unknown
  /** Undefined if nothing was recorded. */
  readonly record: AuditRecord | undefined
}

/** A whole jeton in this process that listens on loopback, with stand-ins for all that it calls. */
export interface Target {
  readonly port: number
  readonly service: Service
  readonly environment: TestEnvironment
  readonly log: LogRecorder
  /** The issuer whose keys the configuration pins: it signs whatever it is given. */
  readonly signer: Signer
  readonly apiKey: string
  /** Returns the records of all requests so far. */
  records(): Promise<AuditRecord[]>
  attack(attack: Attack): Promise<Outcome>
  /** Stops it, so that all counts are written. Returns the records of all requests. */
  stop(): Promise<AuditRecord[]>
}

/** Who may have what at a target, unless a test replaces the section. */
const GRANTS = [
  {
    name: 'deploy',
    principal: { issuer: 'pinned', claims: { team: 'payments', ref: ['main', 'release/*'] } },
    database: 'orders',
    users: ['migrator'],
  },
  {
    name: 'report',
    principal: { issuer: 'apiKey', subject: 'report' },
    database: 'orders',
    users: ['app_ro'],
  },
]

export interface TargetOptions {
  /** Sections of the configuration; a function can name what is in the environment. */
  config?: object | ((environment: TestEnvironment) => object)
  /** Files beside the configuration, by name. */
  files?: Readonly<Record<string, string>>
  /** Beside that of STS. */
  env?: Readonly<Record<string, string>>
  service?: Partial<ServiceOptions>
  /** Whether it speaks TLS, with a certificate of the environment's authority for 127.0.0.1. */
  tls?: boolean
}

/** Starts a target until the test ends. Its records go to memory, by way of the sink of type `stdout`. */
export async function startTarget({
  config = {},
  files = {},
  env = {},
  service: options,
  tls = false,
}: TargetOptions = {}): Promise<Target> {
  const environment = await startTestEnvironment()
  onTestFinished(() => environment.close())
  const signer = createSigner()
  const apiKey = newApiKey()
  await writeFile(join(environment.folder, 'pinned.json'), JSON.stringify(signer.jwks))
  const file = join(environment.folder, 'jeton.json')
  for (const [name, text] of Object.entries(files)) await writeFile(join(environment.folder, name), text)
  if (tls) await writeCertificate(environment)
  const sections = {
    ...(tls && { server: { tls: { cert: 'server.pem', key: 'server-key.pem' } } }),
    issuers: { pinned: { issuer: signer.issuer, audience: 'jeton', jwksFile: 'pinned.json' } },
    apiKeys: { report: { sha256: apiKey.sha256 } },
    grants: GRANTS,
    audit: [{ type: 'stdout' }],
    ...(typeof config === 'function' ? config(environment) : config),
  }
  await writeFile(file, JSON.stringify(environment.config(sections)))
  stubEnvironment({ ...env, ...environment.serverEnv })
  onTestFinished(() => void vi.unstubAllEnvs())

  const log = createLogRecorder()
  const stdout = new PassThrough()
  const lines: string[] = []
  stdout.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk))
  const service = await createService(await loadConfig(file), {
    log,
    stdout,
    instance: 'target/1',
    ...options,
  })
  let stopping: Promise<void> | undefined
  const stop = () => {
    service.app.server.closeAllConnections()
    stopping ??= service.close()
    return stopping
  }
  onTestFinished(stop)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo

  async function records(): Promise<AuditRecord[]> {
    if (!stopping) await service.drain()
    const texts = lines.join('').split('\n').filter(Boolean)
    return texts.map(text => JSON.parse(text) as AuditRecord).filter(({ decision }) => decision !== undefined)
  }

  return {
    port,
    service,
    environment,
    log,
    signer,
    apiKey: apiKey.key,
    records,
    async attack(attack) {
      const connection = await openConnection(port)
      const reply = await connection.exchange(bytesOf(attack), { isHead: attack.method === 'HEAD' })
      connection.close()
      if (!reply) throw new Error('the connection was closed without a reply')
      const requestId = reply.headers.get('x-request-id')
      const record = (await records()).find(one => one.requestId === requestId)
      return outcomeOf(reply, record)
    },
    async stop() {
      await stop()
      return records()
    },
  }
}

async function writeCertificate({ authority, folder }: TestEnvironment): Promise<void> {
  const { certPem, keyPem } = authority.issue(['127.0.0.1'])
  await writeFile(join(folder, 'server.pem'), certPem)
  await writeFile(join(folder, 'server-key.pem'), keyPem)
}

/** Returns a request as bytes, unchecked: no HTTP client would send all of them. */
export function bytesOf(attack: Attack): Buffer {
  const { method = 'POST', path = '/v1/tokens', hosts = ['jeton.example'], headers = [], body } = attack
  const { jwt, authorization = jwt === undefined ? undefined : `Bearer ${jwt}` } = attack
  const sent = method === 'POST' && body === undefined ? { database: 'orders' } : body
  const content = sent === undefined ? '' : typeof sent === 'string' ? sent : JSON.stringify(sent)
  const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...hosts.map(host => `Host: ${host}`),
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    ...(content === '' || has('content-type') ? [] : ['Content-Type: application/json']),
    ...(content === '' || has('content-length') || has('transfer-encoding')
      ? []
      : [`Content-Length: ${Buffer.byteLength(content)}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(content)])
}

function outcomeOf({ status, headers, body }: RawReply, record: AuditRecord | undefined): Outcome {
  const parsed: unknown = /json/.test(headers.get('content-type') ?? '')
    ? JSON.parse(body.toString() || '{}')
    : {}
  const json = isJsonObject(parsed) ? parsed : {}
  return { status, headers: Object.fromEntries(headers), body: json, code: json.code, record }
}
