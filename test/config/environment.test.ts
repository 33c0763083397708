import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import {
  configPath,
  environmentRegion,
  findRegionProblems,
  lambdaFacts,
} from '../../src/config/environment.ts'

test('configPath returns the option, else JETON_CONFIG, else ./jeton.yaml', () => {
  expect(configPath('a.yaml', { JETON_CONFIG: 'b.yaml' })).toBe(resolve('a.yaml'))
  expect(configPath(undefined, { JETON_CONFIG: '/etc/b.yaml' })).toBe('/etc/b.yaml')
  expect(configPath(undefined, { JETON_CONFIG: '' })).toBe(resolve('jeton.yaml'))
})

test('environmentRegion returns AWS_REGION', () => {
  expect(environmentRegion({ AWS_REGION: 'eu-west-1' })).toBe('eu-west-1')
  expect(environmentRegion({ AWS_REGION: '' })).toBeUndefined()
})

test('findRegionProblems finds what the AWS SDK would take for no region', () => {
  for (const region of ['', 'eu-west-1', 'us-gov-east-1', 'cn-north-1'])
    expect(findRegionProblems({ AWS_REGION: region })).toEqual([])
  for (const region of ['"us-east-1"', 'us-east-1 ', 'us-east-1\n', 'US-EAST-1', 'us-east-1a'])
    expect(findRegionProblems({ AWS_REGION: region })).toEqual([
      { path: 'AWS_REGION', message: expect.stringContaining('not the name of a region') },
    ])
})

test('configPath keeps an s3:// URL as it is', () => {
  expect(configPath('s3://conf/jeton.yaml', {})).toBe('s3://conf/jeton.yaml')
  expect(configPath(undefined, { JETON_CONFIG: 's3://conf/a b' })).toBe('s3://conf/a b')
})

test('lambdaFacts finds the configuration in the package of the function, unless JETON_CONFIG names another', () => {
  const env = { LAMBDA_TASK_ROOT: '/var/task' }
  const pathOf = (more: object) => lambdaFacts({ ...env, ...more }, '/var/task/dist').configPath
  expect(pathOf({})).toBe('/var/task/jeton.yaml')
  expect(pathOf({ LAMBDA_TASK_ROOT: undefined })).toBe('/var/task/dist/jeton.yaml')
  expect(pathOf({ JETON_CONFIG: 'live/jeton.yaml' })).toBe('/var/task/live/jeton.yaml')
  expect(pathOf({ JETON_CONFIG: '/opt/jeton.yaml' })).toBe('/opt/jeton.yaml')
  expect(pathOf({ JETON_CONFIG: 's3://conf/jeton.yaml' })).toBe('s3://conf/jeton.yaml')
})

test('lambdaFacts names an execution environment by its function and its log stream', () => {
  const env = { AWS_LAMBDA_FUNCTION_NAME: 'jeton-prod', AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/23/[$LATEST]ab' }
  expect(lambdaFacts(env, '/').instance).toBe('jeton-prod/2026/11/23/[$LATEST]ab')
  expect(lambdaFacts({}, '/').instance).toBe('lambda')
})
