import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient, SHORT_CALLS } from '../../src/aws/client.ts'
import { type LoopbackServer, listenOnLoopback } from '../../src/dev/loopback-server.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { stubEnvironment } from '../support/aws/stub-environment.ts'

/** The access key that AWS takes, and the error that it has for others. */
let goodKey: string
let code: string
/** The access key of each request. */
let keys: string[]
let server: LoopbackServer
let folder: string
let file: string

beforeEach(async () => {
  goodKey = 'AKIAFIRST'
  code = 'ExpiredToken'
  keys = []
  server = await listenOnLoopback(
    createServer((request, response) => {
      const key = /Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      keys.push(key)
      if (key === goodKey) return response.end(IDENTITY)
      return response.writeHead(403).end(`<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`)
    }),
  )
  folder = await mkdtemp(join(tmpdir(), 'jeton-aws-'))
  file = join(folder, 'credentials')
  stubEnvironment({
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_STS: server.url,
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  await writeKey('AKIAFIRST')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
  await rm(folder, { recursive: true })
})

const IDENTITY =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>'

const writeKey = (key: string) =>
  writeFile(file, `[default]\naws_access_key_id = ${key}\naws_secret_access_key = s3cret\n`)

function openClient() {
  const client = createClient(STSClient, { limits: SHORT_CALLS, clock: systemClock() })
  return { call: () => client.send(new GetCallerIdentityCommand({})) }
}

describe('a client whose credentials AWS refuses', () => {
  test.each(['ExpiredToken', 'InvalidClientTokenId'])(
    'takes those that a file has by now, after %s, for all calls at once',
    async name => {
      const { call } = openClient()
      await call()
      goodKey = 'AKIASECOND'
      code = name
      await writeKey('AKIASECOND')
      const replies = await Promise.all([call(), call(), call()])
      expect(replies.map(({ Account }) => Account)).toEqual(['1', '1', '1'])
      keys = []
      await call()
      expect(keys).toEqual(['AKIASECOND'])
    },
  )

  test('calls no second time if there are no others', async () => {
    const { call } = openClient()
    await call()
    goodKey = 'AKIASECOND'
    keys = []
    await expect(call()).rejects.toMatchObject({ name: 'ExpiredToken' })
    expect(keys).toEqual(['AKIAFIRST'])
  })

  test('keeps those that it has while there are none, and takes the next', async () => {
    const { call } = openClient()
    await call()
    goodKey = 'AKIASECOND'
    await rm(file)
    await expect(call()).rejects.toMatchObject({ name: 'ExpiredToken' })
    await writeKey('AKIASECOND')
    expect((await call()).Account).toBe('1')
  })

  test('looks for no others after any other error', async () => {
    const { call } = openClient()
    await call()
    goodKey = 'AKIASECOND'
    code = 'AccessDenied'
    keys = []
    await writeKey('AKIASECOND')
    await expect(call()).rejects.toMatchObject({ name: 'AccessDenied' })
    expect(keys).toEqual(['AKIAFIRST'])
  })
})
