import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { problemsOf, type Sound, sound, written } from '../support.ts'

const withPrincipal = (principal: object) => (config: Sound) => ({
  ...config,
  grants: [{ ...config.grants[0], principal }],
})

describe('grants that are open', () => {
  test.each<[object, RegExp]>([
    [{ issuer: 'own' }, /^grants\[0\]\.principal: this names nobody/],
    [{ issuer: 'own', subject: '**' }, /^grants\[0\]\.principal: this names nobody/],
    [{ issuer: 'github', anyone: true }, /^grants\[0\]\.principal: the whole world can get a JWT/],
    [
      { issuer: 'github', claims: { ref: 'main' } },
      /so pin its owner without a wildcard by one of repository_id/,
    ],
    [{ issuer: 'github', claims: { repository: 'acme*/app' } }, /does not spell out its owner/],
    [{ issuer: 'github', claims: { job_workflow_ref: 'acme/ci/x' } }, /names the called workflow/],
    [{ issuer: 'own', subject: 'x', anyone: true }, /contradicts/],
    [{ issuer: 'apiKey', claims: { a: 'b' } }, /an API key carries no claims/],
  ])('refuses %j', async (principal, problem) => {
    expect(await problemsOf(withPrincipal(principal))).toEqual([expect.stringMatching(problem)])
  })

  test.each([
    { issuer: 'own', anyone: true },
    { issuer: 'github', claims: { repository_id: 123456 } },
    { issuer: 'github', subject: 'repo:acme/*' },
    { issuer: 'apiKey', subject: ['nightly'] },
    { issuer: 'apiKey', anyone: true },
  ])('takes %j', async principal => {
    expect(await problemsOf(withPrincipal(principal))).toEqual([])
  })

  test('does not blame an issuer that is missing for what a grant asks of it', async () => {
    expect(await problemsOf(withPrincipal({ issuer: 'gitlab', anyone: true }))).toEqual([
      'grants[0].principal.issuer: is not in issuers (github, own)',
    ])
  })

  test('takes an unquoted number in a claim as it was written', async () => {
    const text = JSON.stringify(withPrincipal({ issuer: 'own', claims: 'CLAIMS' })(sound()))
    const path = await written(text.replace('"CLAIMS"', '{ version: 1.10, id: [12345678901234567890, 7] }'))
    expect((await loadConfig(path)).grants[0]?.principal.claims).toEqual({
      version: '1.10',
      id: ['12345678901234567890', 7],
    })
  })
})
