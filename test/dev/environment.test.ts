import { expect, test } from 'vitest'
import { devEnvironment, isOnLambda } from '../../src/dev/environment.ts'

const STS = {
  url: 'http://127.0.0.1:1',
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIADEV', secretAccessKey: 'dev' },
}

test('devEnvironment keeps what leads nowhere, and replaces what leads to AWS', () => {
  const env = devEnvironment(
    {
      PATH: '/bin',
      HOME: '/home/me',
      UNSET: undefined,
      AWS_ACCESS_KEY_ID: 'AKIAREAL',
      AWS_SESSION_TOKEN: 'real',
      AWS_ENDPOINT_URL_KMS: 'https://kms.example',
      aws_profile: 'real',
      HTTPS_PROXY: 'http://proxy.example',
      no_proxy: '*',
      JETON_CONFIG: 's3://bucket/jeton.yaml',
      JETON_LOG_FORMAT: 'text',
      PGSERVICE: 'mine',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'real',
    },
    STS,
  )
  expect(env).toEqual({
    PATH: '/bin',
    HOME: '/home/me',
    JETON_LOG_FORMAT: 'text',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIADEV',
    AWS_SECRET_ACCESS_KEY: 'dev',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_ENDPOINT_URL: STS.url,
  })
})

test('isOnLambda knows an execution environment by any of its variables', () => {
  expect(isOnLambda({ AWS_REGION: 'us-east-1' })).toBe(false)
  expect(isOnLambda({ AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001' })).toBe(true)
})
