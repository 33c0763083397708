import { describe, expect, test } from 'vitest'
import { readTemplate, resolveWith } from './cloudformation.ts'

const { Parameters = {}, Resources, Outputs } = await readTemplate('private-api.yml')
const values = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
  FunctionName: 'jeton-prod',
  VpcEndpointIds: ['vpce-0123456789abcdef0'],
  StageName: 'prod',
  Api: 'api1',
  'Api.RootResourceId': 'root1',
  Paths: 'paths1',
  Deployment: 'deployment1',
  Stage: 'prod',
}
const resolved = (name: string) => resolveWith({ values })(Resources[name]?.Properties)

describe('the private API', () => {
  test('is for callers from the given endpoints alone', () => {
    expect(resolved('Api')).toMatchObject({
      EndpointConfiguration: { Types: ['PRIVATE'], VpcEndpointIds: values.VpcEndpointIds },
      Policy: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'execute-api:Invoke',
            Condition: { StringEquals: { 'aws:SourceVpce': values.VpcEndpointIds } },
          },
        ],
      },
    })
  })

  test('sends every method and path to the function, as an event', () => {
    expect(resolved('Paths')).toMatchObject({ ParentId: 'root1', PathPart: '{proxy+}' })
    expect(resolved('Requests')).toMatchObject({
      ResourceId: 'paths1',
      HttpMethod: 'ANY',
      Integration: {
        Type: 'AWS_PROXY',
        Uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:jeton-prod/invocations',
      },
    })
    expect(Resources.Deployment?.DependsOn).toBe('Requests')
  })

  test('alone may call the function, and says its URL', () => {
    expect(resolved('Permission')).toMatchObject({
      FunctionName: 'jeton-prod',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: 'arn:aws:execute-api:us-east-1:123456789012:api1/*',
    })
    expect(resolveWith({ values })(Outputs.Url?.Value)).toBe(
      'https://api1.execute-api.us-east-1.amazonaws.com/prod',
    )
  })
})

test.each([
  ['VpcEndpointIds', 'vpce-0123456789abcdef0', true],
  ['VpcEndpointIds', '*', false],
  ['VpcEndpointIds', 'vpc-0123456789abcdef0', false],
  ['StageName', 'v1', true],
  ['StageName', '$default', false],
  ['FunctionName', 'jeton-prod', true],
  ['FunctionName', 'jeton*', false],
])('the parameter %s may be %s: %s', (name, value, isAllowed) => {
  const { AllowedPattern = '' } = Parameters[name] ?? {}
  expect(new RegExp(`^(?:${AllowedPattern})$`).test(value)).toBe(isAllowed)
})
