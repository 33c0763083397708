import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError, type Problem } from '../../src/config/problems.ts'
import { runCli } from '../support/service/jeton.ts'
import { startTarget } from './target.ts'

/** Anybody in the world, with a JWT from an issuer that everybody gets JWTs from, meets a grant that names no owner. */
async function problemsOf(issuer: object, principal: object): Promise<readonly Problem[]> {
  const { file } = await writeConfig(issuer, principal)
  try {
    await loadConfig(file)
    return []
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.problems
    throw cause
  }
}

async function writeConfig(issuer: object, principal: object) {
  const { environment } = await startTarget()
  const config = environment.config({
    issuers: { them: { audience: 'jeton', ...issuer } },
    grants: [
      { name: 'open', principal: { issuer: 'them', ...principal }, database: 'orders', users: ['app_ro'] },
    ],
  })
  const file = join(environment.folder, 'tenancy.json')
  await writeFile(file, JSON.stringify(config))
  return { file }
}

const FOR_ALL_BRANCHES = { claims: { ref: 'refs/heads/main' } }
const isAbout = (section: string) =>
  expect.arrayContaining([expect.objectContaining({ path: expect.stringContaining(section) })])

describe('an issuer that the whole world can use, and a grant that names no owner', () => {
  test.each([
    ['https://token.actions.githubusercontent.com', FOR_ALL_BRANCHES],
    ['https://gitlab.com', { claims: { ref_protected: 'true' } }],
    ['https://app.terraform.io', { claims: { terraform_run_phase: 'apply' } }],
    ['https://agent.buildkite.com', { claims: { build_branch: 'main' } }],
    ['https://oidc.codefresh.io', { claims: { scm_ref: 'main' } }],
    ['https://scalr.io', { claims: { run_phase: 'apply' } }],
    ['https://studio.datachain.ai/api', FOR_ALL_BRANCHES],
    ['https://tokens.cloud.shisho.dev', FOR_ALL_BRANCHES],
    ['https://proidc.upbound.io', FOR_ALL_BRANCHES],
    ['https://oidc.circleci.com', FOR_ALL_BRANCHES],
    ['https://login.app.env0.com/', FOR_ALL_BRANCHES],
    ['https://oidc.modal.com', { claims: { environment_name: 'main' } }],
    ['https://oidc.deno.com', FOR_ALL_BRANCHES],
    ['https://identity.depot.dev', FOR_ALL_BRANCHES],
    ['https://federation.namespaceapis.com', FOR_ALL_BRANCHES],
    ['https://issuer.enforce.dev', FOR_ALL_BRANCHES],
    ['https://token.builds.bitrise.io', { claims: { git_branch: 'main' } }],
    ['https://oidc.buddyusercontent.com', FOR_ALL_BRANCHES],
    ['https://eu-oidc.buddyusercontent.com', FOR_ALL_BRANCHES],
    ['https://accounts.google.com', { claims: { email_verified: true } }],
    ['https://www.facebook.com', FOR_ALL_BRANCHES],
    ['https://huggingface.co', FOR_ALL_BRANCHES],
    ['https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0', FOR_ALL_BRANCHES],
    ['https://cognito-identity.amazonaws.com', FOR_ALL_BRANCHES],
    // nobody knows these: it has to be said who may have a JWT from them
    ['https://ci.somebody.example', FOR_ALL_BRANCHES],
    ['https://builds.another.example/oidc', { claims: { environment: 'production' } }],
    ['https://gitlab.com.evil.example', { claims: { project_id: 7 } }],
    ['https://oidc.arche.dev', FOR_ALL_BRANCHES],
  ])('%s', async (issuer, principal) => {
    expect((await problemsOf({ issuer }, principal)).length).toBeGreaterThan(0)
  })

  test.each([
    ['an owner with a wildcard', { claims: { repository: 'acm*/orders' } }],
    [
      'one owner, and everybody in the next alternative',
      { claims: { repository: ['acme/orders', '*/orders'] } },
    ],
    [
      "a claim that only looks like an owner's",
      { claims: { job_workflow_ref: 'acme/ci/.github/workflows/x.yml@main' } },
    ],
    ['who started the job', { claims: { actor: 'alice' } }],
    ['a subject for any owner', { subject: 'repo:*/orders:ref:refs/heads/main' }],
  ])('GitHub, with %s', async (_name, principal) => {
    expect(await problemsOf({ issuer: 'https://token.actions.githubusercontent.com' }, principal)).toEqual(
      isAbout('grants'),
    )
  })
})

describe('tenancy', () => {
  const issuer = 'https://ci.somebody.example'

  test('shared demands an owner of each grant', async () => {
    const shared = { issuer, tenancy: 'shared', owner: ['org_id'] }
    expect(await problemsOf(shared, FOR_ALL_BRANCHES)).toEqual(isAbout('grants'))
    expect(await problemsOf(shared, { claims: { org_id: 'org-*' } })).toEqual(isAbout('grants'))
    expect(await problemsOf(shared, { claims: { org_id: ['org-7', '**'] } })).toEqual(isAbout('grants'))
    expect(await problemsOf(shared, { claims: { org_id: 'org-7', ref: 'main' } })).toEqual([])
  })

  test('anyone: true means the whole world, and is not accepted of a shared issuer', async () => {
    const shared = { issuer, tenancy: 'shared', owner: ['org_id'] }
    expect(await problemsOf(shared, { anyone: true })).not.toEqual([])
  })

  test('private is taken at its word', async () => {
    expect(await problemsOf({ issuer, tenancy: 'private' }, FOR_ALL_BRANCHES)).toEqual([])
  })

  test('private is not believed of an issuer that is known to be shared', async () => {
    const github = { issuer: 'https://token.actions.githubusercontent.com', tenancy: 'private' }
    expect(await problemsOf(github, FOR_ALL_BRANCHES)).not.toEqual([])
  })

  test.each([
    'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
    'https://container.googleapis.com/v1/projects/p/locations/europe-west1/clusters/c',
    'https://westeurope.oic.prod-aks.azure.com/11111111-2222-4333-8444-555555555555/66666666-7777-4888-9999-000000000000/',
    'https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0',
    'https://acme.okta.com',
    'https://acme.eu.auth0.com/',
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
  ])('%s is one customer’s, and needs no word', async url => {
    expect(await problemsOf({ issuer: url }, { claims: { team: 'payments' } })).toEqual([])
  })
})

test('jeton check says in a few words what the whole world could do, and exits with 1', async () => {
  const { file } = await writeConfig({ issuer: 'https://ci.somebody.example' }, FOR_ALL_BRANCHES)
  const { code, stdout, stderr } = await runCli(['check', '--config', file])
  expect(code).toBe(1)
  expect(stdout + stderr).toMatch(/tenancy/)
  expect(stdout + stderr).toMatch(/private/)
  expect(stdout + stderr).toMatch(/shared/)
})
