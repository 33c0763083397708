import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { awsEnvironment } from '../../../src/dev/aws/environment.ts'
import { serveOnLoopback } from '../../../src/dev/loopback-server.ts'

/** One request and its outcome. */
export interface KmsCall {
  readonly operation: string
  /** As requested: an id, ARN, alias or ARN of an alias. */
  readonly keyId: string | undefined
  readonly context: Readonly<Record<string, string>>
  /** `ok`, or the name of AWS's error. */
  readonly outcome: string
}

/** Faults that a test can set and clear at any time. */
export interface KmsFaults {
  /** Connections are reset. */
  gone: boolean
  /** 400 AccessDeniedException. */
  denied: boolean
  /** 500 KMSInternalException. */
  failing: boolean
  delayMs: number
  /** How far KMS's clock is ahead of `now`, in `Date`. */
  clockShiftMs: number
}

export interface KmsServer {
  readonly url: string
  readonly region: string
  readonly faults: KmsFaults
  /** Every request that was answered, in order of arrival. */
  readonly calls: KmsCall[]
  /** Counts all requests, including those that have no answer yet. */
  requests(): number
  /** The ARN of each alias's key; a test can change it. */
  readonly aliases: Map<string, string>
  /** Adds a key; returns its ARN. */
  addKey(): string
  /** Environment variables that lead a process to this KMS. It accepts any credentials, also those of a stand-in STS. */
  environment(): Record<string, string>
  close(): Promise<void>
}

interface Request {
  KeyId?: string
  KeySpec?: string
  EncryptionContext?: Record<string, string>
  CiphertextBlob?: string
}

interface DataKey {
  readonly arn: string
  readonly context: object
  readonly secret: Buffer
}

/** The text of every error. AWS's own may tell who called for what, so it must never be shown. */
export const KMS_MESSAGE = 'a message with sensitive details'
/** About as long as AWS's own blobs. */
const BLOB_BYTES = 184
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
const MAX_BLOB_BYTES = 6144
const CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'kms-test-secret' }

/**
 * Starts a stand-in for AWS KMS on loopback, without TLS: GenerateDataKey and Decrypt for keys made in each run. Decrypt works
 * only with the key and encryption context of GenerateDataKey. A request must be signed, but its signature is not verified.
 */
export async function startKms({
  now = Date.now,
  region = 'us-east-1',
}: {
  now?: () => number
  region?: string
} = {}): Promise<KmsServer> {
  const faults: KmsFaults = { gone: false, denied: false, failing: false, delayMs: 0, clockShiftMs: 0 }
  const calls: KmsCall[] = []
  let requests = 0
  const arns = new Set<string>()
  const aliases = new Map<string, string>()
  const dataKeys = new Map<string, DataKey>()
  const stopped = new AbortController()
  const addKey = () => {
    const arn = `arn:aws:kms:${region}:123456789012:key/${randomUUID()}`
    arns.add(arn)
    return arn
  }
  aliases.set('alias/jeton', addKey())

  function arnOf(keyId = ''): string | undefined {
    const name = keyId.replace(/^arn:.*?:(?=alias\/)/, '')
    return aliases.get(name) ?? [...arns].find(arn => arn === keyId || arn.endsWith(`:key/${keyId}`))
  }

  function answer(operation: string, request: Request): object | string {
    if (faults.denied) return 'AccessDeniedException'
    if (faults.failing) return 'KMSInternalException'
    const { KeyId, KeySpec, EncryptionContext: context = {}, CiphertextBlob = '' } = request
    if (operation === 'GenerateDataKey') {
      const arn = arnOf(KeyId)
      if (arn === undefined) return 'NotFoundException'
      if (KeySpec !== 'AES_256') return 'ValidationException'
      const secret = randomBytes(32)
      const blob = randomBytes(BLOB_BYTES).toString('base64')
      dataKeys.set(blob, { arn, context, secret })
      return { CiphertextBlob: blob, KeyId: arn, Plaintext: secret.toString('base64') }
    }
    if (operation !== 'Decrypt') return 'UnknownOperationException'
    if (KeyId !== undefined && arnOf(KeyId) === undefined) return 'NotFoundException'
    const { length } = Buffer.from(CiphertextBlob, 'base64')
    if (length === 0 || length > MAX_BLOB_BYTES) return 'ValidationException'
    const dataKey = dataKeys.get(CiphertextBlob)
    if (!dataKey || !isDeepStrictEqual(dataKey.context, context)) return 'InvalidCiphertextException'
    if (KeyId !== undefined && arnOf(KeyId) !== dataKey.arn) return 'IncorrectKeyException'
    return { KeyId: dataKey.arn, Plaintext: dataKey.secret.toString('base64') }
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    requests++
    if (faults.gone) return void request.socket.destroy()
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped.signal })
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
    const input = JSON.parse(body) as Request
    const isSigned = /^AWS4-HMAC-SHA256 .*\/kms\/aws4_request/.test(request.headers.authorization ?? '')
    const result = isSigned ? answer(operation, input) : 'MissingAuthenticationTokenException'
    const isError = typeof result === 'string'
    const { KeyId: keyId, EncryptionContext: context = {} } = input
    calls.push({ operation, keyId, context, outcome: isError ? result : 'ok' })
    const status = isError ? (result === 'KMSInternalException' ? 500 : 400) : 200
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
      date: new Date(now() + faults.clockShiftMs).toUTCString(),
    })
    response.end(JSON.stringify(isError ? { __type: result, message: KMS_MESSAGE } : result))
  }

  const listener = await serveOnLoopback(serve)

  return {
    url: listener.url,
    region,
    faults,
    calls,
    requests: () => requests,
    aliases,
    addKey,
    environment: () => ({
      ...awsEnvironment({ region, ...CREDENTIALS }),
      AWS_ENDPOINT_URL_KMS: listener.url,
    }),
    async close() {
      stopped.abort()
      await listener.close()
    },
  }
}
