import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { devNull } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'

/** What one request asked for, and what came of it. */
export interface KmsCall {
  readonly operation: string
  /** As it was given: id, ARN, alias or ARN of an alias. */
  readonly keyId: string | undefined
  readonly context: Readonly<Record<string, string>>
  /** `ok`, else the name of AWS's error. */
  readonly outcome: string
}

/** What a test may break, and mend again, at any time. */
export interface KmsFaults {
  /** Breaks connections off. */
  gone: boolean
  /** 400 AccessDeniedException. */
  denied: boolean
  /** 500 KMSInternalException. */
  failing: boolean
  delayMs: number
  /** How far KMS's clock is ahead of `now`; it shows in `Date`. */
  clockShiftMs: number
}

export interface KmsServer {
  readonly url: string
  readonly region: string
  readonly faults: KmsFaults
  /** Every request that was answered, in the order they came. */
  readonly calls: KmsCall[]
  /** The ARN of the key that each alias leads to; may be changed. */
  readonly aliases: Map<string, string>
  /** Adds a key; gives its ARN. */
  addKey(): string
  /** What a process needs to find this KMS; its credentials are good for nothing else, and those of an STS may replace them. */
  environment(): Record<string, string>
  close(): Promise<void>
}

interface Request {
  KeyId?: string
  KeySpec?: string
  EncryptionContext?: Record<string, string>
  CiphertextBlob?: string
}

interface Sealed {
  readonly arn: string
  readonly context: object
  readonly secret: Buffer
}

/** AWS's own blobs are about as long. */
const BLOB_BYTES = 184

/**
 * A stand-in for AWS KMS on loopback: GenerateDataKey and Decrypt for keys of its own, made in each run. Decrypt opens only
 * with the key and the encryption context that it was sealed with. A request must be signed; how, is not checked. No TLS.
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
  const arns = new Set<string>()
  const aliases = new Map<string, string>()
  const sealed = new Map<string, Sealed>()
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
      sealed.set(blob, { arn, context, secret })
      return { CiphertextBlob: blob, KeyId: arn, Plaintext: secret.toString('base64') }
    }
    if (operation !== 'Decrypt') return 'UnknownOperationException'
    if (KeyId !== undefined && arnOf(KeyId) === undefined) return 'NotFoundException'
    const found = sealed.get(CiphertextBlob)
    if (!found || !isDeepStrictEqual(found.context, context)) return 'InvalidCiphertextException'
    if (KeyId !== undefined && arnOf(KeyId) !== found.arn) return 'IncorrectKeyException'
    return { KeyId: found.arn, Plaintext: found.secret.toString('base64') }
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    if (faults.gone) return void request.socket.destroy()
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (faults.delayMs > 0) await pause(faults.delayMs, undefined, { signal: stopped.signal })
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
    const asked = JSON.parse(body) as Request
    const isSigned = /^AWS4-HMAC-SHA256 .*\/kms\/aws4_request/.test(request.headers.authorization ?? '')
    const answered = isSigned ? answer(operation, asked) : 'MissingAuthenticationTokenException'
    const failed = typeof answered === 'string'
    const { KeyId: keyId, EncryptionContext: context = {} } = asked
    calls.push({ operation, keyId, context, outcome: failed ? answered : 'ok' })
    const status = failed ? (answered === 'KMSInternalException' ? 500 : 400) : 200
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': randomUUID(),
      date: new Date(now() + faults.clockShiftMs).toUTCString(),
    })
    response.end(
      JSON.stringify(failed ? { __type: answered, message: 'a message that tells things' } : answered),
    )
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    region,
    faults,
    calls,
    aliases,
    addKey,
    environment: () => ({
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'kms-test-secret',
      AWS_REGION: region,
      AWS_ENDPOINT_URL_KMS: url,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
    }),
    close: () =>
      new Promise(resolve => {
        stopped.abort()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
