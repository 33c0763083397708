import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lookForProgram } from '../../src/dev/postgres/programs.ts'
import type { PolicyDocument } from '../../src/iam/role-policies.ts'
import { run } from '../support/run.ts'
import { CONFIG } from './example-stack.ts'
import { newJwks } from './jwks.ts'
import { canPackage } from './osls.ts'
import { type Checkout, checkout } from './stack.ts'

const hasOsls = await canPackage()
let copy: Checkout
const cfnLint = await lookForProgram('cfn-lint')

/** package.test.ts tests the real build. */
const BUILD = `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist/lambda', { recursive: true })
writeFileSync('dist/lambda/index.mjs', '')`

beforeAll(async () => {
  const files = { 'jeton.yaml': CONFIG, 'cluster-jwks.json': await newJwks(), 'build.mjs': BUILD }
  copy = await checkout(files)
})
afterAll(() => copy?.close())

test.runIf(hasOsls)(
  'parameters set what is not in the configuration; a copy in S3 replaces the one in the package',
  async () => {
    await copy.osls(
      'reservedConcurrency=5',
      'alarmEmail=oncall@example.com',
      'configInS3=s3://acme-config/live/jeton.yaml',
      'requestsPerSecond=20',
      'basePath=jeton/',
    )
    const { JetonLambdaFunction, AlarmEmail, HttpApiStage, JetonPolicy } = (await copy.template()).Resources
    expect(JetonLambdaFunction?.Properties).toMatchObject({
      ReservedConcurrentExecutions: 5,
      Environment: {
        Variables: {
          JETON_BASE_PATH: '/jeton',
          JETON_CONFIG: { 'Fn::Sub': 's3://acme-config/live/jeton.yaml?owner=$'.concat('{AWS::AccountId}') },
        },
      },
    })
    expect(AlarmEmail?.Properties).toMatchObject({ Endpoint: 'oncall@example.com' })
    expect(HttpApiStage?.Properties.DefaultRouteSettings).toMatchObject({
      ThrottlingRateLimit: '20',
    })
    const document = JetonPolicy?.Properties.PolicyDocument as PolicyDocument | undefined
    expect(document?.Statement.at(-1)).toEqual({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: [
        'arn:aws:s3:::acme-config/live/jeton.yaml',
        'arn:aws:s3:::acme-config/live/cluster-jwks.json',
      ],
      Condition: { StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } },
    })
    expect((await copy.packaged()).filter(name => !name.startsWith('dist/lambda/'))).toEqual([])
  },
)

test.runIf(hasOsls && cfnLint)('cfn-lint finds nothing', async () => {
  const path = join(copy.folder, '.serverless', 'cloudformation-template-update-stack.json')
  // W3005: osls writes a dependency twice. W8003: osls has already filled in a parameter that a condition compares
  const ignored = ['--ignore-checks', 'W3005', 'W8003']
  const infra = ['tables.yml', 'target-account.yml', 'private-api.yml'].map(name =>
    join(copy.folder, 'infra', name),
  )
  const env = { HOME: process.env.HOME ?? '' }
  const { code, stdout } = await run(cfnLint ?? '', ['-t', path, ...infra, ...ignored], { env })
  expect(stdout).toBe('')
  expect(code).toBe(0)
})

test.runIf(hasOsls)(
  'a broken configuration is not deployed, and all of its problems are printed',
  async () => {
    await writeFile(
      join(copy.folder, 'broken.yaml'),
      JSON.stringify({ ...CONFIG, grants: [{ name: 'x', principal: { issuer: 'nobody' } }] }),
    )
    const packaging = copy.osls('config=broken.yaml')
    await expect(packaging).rejects.toThrow(/broken\.yaml:\n.*grants\[0\]/)
  },
)

test.runIf(hasOsls)('a base path that is none is not deployed', async () => {
  await expect(copy.osls('basePath=https://api.example.com/jeton')).rejects.toThrow(
    /basePath: must be the path/,
  )
})
