import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  STSClient,
} from '@aws-sdk/client-sts'
import { Signer } from '@aws-sdk/rds-signer'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRdsVerifier } from '../../../src/dev/aws/rds-verifier.ts'
import { ORDERS } from '../databases/orders.ts'
import { type Issuer, startIssuer } from '../oidc/issuer.ts'
import { type Sts, startSts } from './sts.ts'
import { STS_AUDIENCE, startWebIdentitySts, type WebIdentitySts } from './web-identity-sts.ts'

const resource = `arn:aws:rds-db:us-east-1:123456789012:dbuser:${ORDERS.resourceId}/app_rw`
const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }
const permissions = { Version: '2012-10-17', Statement: [statement] }

let issuer: Issuer
let sts: Sts
let front: WebIdentitySts
beforeEach(async () => {
  issuer = await startIssuer()
  sts = await startSts()
  front = await startWebIdentitySts({ sts, issuer, permissions })
})
afterEach(() => Promise.all([front.close(), sts.close(), issuer.close()]))

const client = () =>
  new STSClient({ region: 'us-east-1', endpoint: front.url, credentials: sts.credentials, maxAttempts: 1 })

function assume(WebIdentityToken: string, input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) {
  const role = { RoleArn: ORDERS.roleArn, RoleSessionName: 'job-1' }
  return client().send(new AssumeRoleWithWebIdentityCommand({ ...role, WebIdentityToken, ...input }))
}

test('a JWT is enough for a role session, which may do what its role may, and is counted', async () => {
  const { Credentials, SubjectFromWebIdentityToken } = await assume(
    await issuer.sign({ aud: STS_AUDIENCE, sub: 'repo:acme/orders' }),
  )
  expect(SubjectFromWebIdentityToken).toBe('repo:acme/orders')
  expect(sts.calls).toMatchObject([{ roleSessionName: 'job-1', outcome: 'issued' }])
  const credentials = {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  }
  const { host: hostname, port, region } = ORDERS
  const check = createRdsVerifier({ endpoint: ORDERS, sts })
  const tokenOf = (username: string) =>
    new Signer({ hostname, port, region, username, credentials }).getAuthToken()
  expect(await check({ user: 'app_rw', token: await tokenOf('app_rw') })).toMatchObject({
    ok: true,
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/job-1',
  })
  expect(await check({ user: 'migrator', token: await tokenOf('migrator') })).toMatchObject({
    reason: 'session policy does not allow it',
  })
})

test('a JWT of another issuer, for another audience or out of time is refused', async () => {
  const other = await startIssuer()
  const tokens = [
    await other.sign({ aud: STS_AUDIENCE, iss: issuer.url }),
    await issuer.sign({ aud: 'jeton' }),
    await issuer.sign({ aud: STS_AUDIENCE }, { expiresInSeconds: -60 }),
    'no JWT',
  ]
  await other.close()
  for (const token of tokens)
    await expect(assume(token)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  expect(sts.calls).toEqual([])
})

test('errors of the stand-in are its own', async () => {
  const token = await issuer.sign({ aud: STS_AUDIENCE })
  await expect(assume(token, { RoleSessionName: 'a/b' })).rejects.toMatchObject({ name: 'ValidationError' })
  sts.faults.deniedRoles.add(ORDERS.roleArn)
  await expect(assume(token)).rejects.toMatchObject({
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
  })
})

test('other calls reach the stand-in with the signature that they have', async () => {
  const command = new AssumeRoleCommand({ RoleArn: ORDERS.roleArn, RoleSessionName: 'orders.app_rw' })
  expect((await client().send(command)).Credentials?.AccessKeyId).toMatch(/^ASIA/)
  expect(sts.calls).toMatchObject([{ roleSessionName: 'orders.app_rw', policy: undefined }])
})
