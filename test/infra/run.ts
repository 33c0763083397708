import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import { type Jeton, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import type { ApiCall } from './iam.ts'

/** Instances of jeton with stand-ins for every AWS service that they call. */
export interface Run {
  readonly environment: TestEnvironment
  readonly dynamodb: Dynamodb
  readonly kms: KmsServer
  readonly config: { readonly databases: Readonly<Record<string, object>> }
  /** The folder of the configuration of all instances, `jeton.json`. */
  readonly folder: string
  readonly instances: readonly Jeton[]
  start(): Promise<Jeton>
  /** Returns an `Authorization` header that the grants accept. */
  bearer(): Promise<string>
  /** Returns every call to AWS so far, as IAM sees it. */
  calls(): ApiCall[]
  /** Returns every line that the instances have written, like the function's log group. */
  lines(): string[]
  close(): Promise<void>
}

export async function startRun(over: object): Promise<Run> {
  const [environment, dynamodb, kms, folder] = await Promise.all([
    startTestEnvironment(),
    startDynamodb(),
    startKms(),
    mkdtemp(join(tmpdir(), 'jeton-run-')),
  ])
  const instances: Jeton[] = []
  const config = environment.config(over) as Run['config']

  function callsOfKms(): ApiCall[] {
    return kms.calls.map(({ operation, keyId = '', context }) => ({
      action: `kms:${operation}`,
      resource: kms.aliases.get(keyId) ?? keyId,
      context: {
        ...(keyId.startsWith('alias/') && { 'kms:RequestAlias': keyId }),
        ...Object.fromEntries(
          Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
        ),
        'kms:EncryptionContextKeys': Object.keys(context),
      },
    }))
  }

  return {
    environment,
    dynamodb,
    kms,
    config,
    folder,
    instances,
    async start() {
      // the stand-in for STS accepts only its own credentials, the others accept any
      const env = { ...dynamodb.environment(), ...kms.environment(), ...environment.serverEnv }
      const jeton = await startJeton({ config, env, folder })
      instances.push(jeton)
      return jeton
    },
    bearer: async () => `Bearer ${await environment.issuer.sign(CLAIMS)}`,
    calls: () => [
      ...dynamodb.calls.map(({ operation, table }) => ({
        action: `dynamodb:${operation}`,
        resource: `arn:aws:dynamodb:us-east-1:123456789012:table/${table}`,
        context: {},
      })),
      ...callsOfKms(),
      ...environment.sts.calls.map(({ roleArn }) => ({
        action: 'sts:AssumeRole',
        resource: roleArn,
        context: {},
      })),
    ],
    lines: () => instances.flatMap(({ stdout, stderr }) => [...stdout, ...stderr]),
    async close() {
      await Promise.all(instances.map(instance => instance.close()))
      await Promise.all([environment.close(), dynamodb.close(), kms.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}
