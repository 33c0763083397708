import { describe, expect, test } from 'vitest'
import { describeMissingCredentials } from '../../src/aws/missing-credentials.ts'

const failure = (name: string, message: string) => Object.assign(new Error(message), { name })
const NOWHERE = failure('CredentialsProviderError', 'Could not load credentials from any providers')
const PREAMBLE = ['@aws-sdk/credential-provider-node - defaultProvider::fromEnv']

describe('describeMissingCredentials', () => {
  test.each([
    [
      'Could not resolve credentials using profile: [nope] in configuration/credentials file(s).',
      /AWS_PROFILE .* is not in/,
    ],
    [
      'Could not resolve credentials using profile: [default] in configuration/credentials file(s).',
      /none are in the environment.*set AWS_PROFILE/,
    ],
    ['Command failed: /opt/broker\ns3cret', /the credential_process .* fails/],
    ['Profile default credential_process returned invalid JSON.', /the credential_process .* fails/],
    ['Profile p credential_process returned expired credentials.', /the credential_process .* fails/],
    ['Error: connect ECONNREFUSED 169.254.170.2:80', /AWS_CONTAINER_CREDENTIALS_FULL_URI/],
    ['Server responded with status: 404', /Pod Identity agent/],
    ['Web identity configuration not specified', /none are in the environment/],
  ])('names the place where credentials should have been, by %s', (said, words) => {
    const text = describeMissingCredentials(NOWHERE, [...PREAMBLE, `@smithy/property-provider -> ${said}`])
    expect(text).toMatch(/^CredentialsProviderError; /)
    expect(text).toMatch(words)
    expect(text).not.toMatch(/s3cret|\n/)
  })

  test.each([
    [
      failure('CredentialsProviderError', 'Token is expired. To refresh this SSO session run aws sso login'),
      /aws sso login/,
    ],
    [
      failure('CredentialsProviderError', 'Failed to load token from /s3cret: Error: ENOENT'),
      /run aws login/,
    ],
    [
      failure(
        'CredentialsProviderError',
        'Profile p requires multi-factor authentication, but no MFA code callback was provided.',
      ),
      /MFA/,
    ],
    [Object.assign(failure('Error', "open '/s3cret'"), { code: 'ENOENT' }), /AWS_WEB_IDENTITY_TOKEN_FILE/],
    [failure('TimeoutError', 'The operation was aborted due to timeout'), /the search does not end/],
  ])('names the cause of %s', (cause, words) => {
    const text = describeMissingCredentials(cause, [`@smithy/property-provider (!) ${cause.message}`])
    expect(text).toMatch(words)
    expect(text).not.toContain('s3cret')
  })
})
