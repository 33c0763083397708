import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { exampleIn, readDocsPage } from '../../support/markdown.ts'
import {
  problemsOf,
  type Sound,
  sound,
  withDatabases,
  withGrants,
  withPrincipal,
  written,
} from '../support.ts'

describe('checkGrants on what grants refer to', () => {
  test.each<[string, (config: Sound) => unknown, string[]]>([
    [
      'an unknown issuer',
      withPrincipal({ issuer: 'gitlab', subject: 'x' }),
      ['grants[0].principal.issuer: is not in issuers (github, own)'],
    ],
    [
      'an issuer if there are none',
      ({ issuers, ...config }) => config,
      ['grants[0].principal.issuer: is not in issuers (none)'],
    ],
    [
      'an unknown database',
      withGrants({ database: 'ordres' }),
      ['grants[0].database: is not in databases (orders): did you mean orders?'],
    ],
    [
      'an unknown user',
      withGrants({ users: ['migrator', 'root'] }),
      ['grants[0].users[1]: is not among the users of databases.orders (app_ro, migrator)'],
    ],
    [
      'an unknown API key',
      withPrincipal({ issuer: 'apiKey', subject: 'nigthly' }),
      ['grants[0].principal.subject: is not in apiKeys (nightly): did you mean nightly?'],
    ],
    [
      'an unknown API key in a list',
      withPrincipal({ issuer: 'apiKey', subject: ['nightly', 'x', 'n*'] }),
      ['grants[0].principal.subject[1]: is not in apiKeys (nightly)'],
    ],
    [
      'a name in use',
      withGrants({ name: 'a' }, { name: 'b', users: 7 }, { name: 'a' }, { name: 'a' }),
      [
        'grants[1].users: must be a list, as in [a, b]',
        'grants[2].name: is already the name of grants[0]: choose another, because audit records name the grant',
        'grants[3].name: is already the name of grants[0]: choose another, because audit records name the grant',
      ],
    ],
  ])('rejects %s', async (_, change, problems) => {
    expect(await problemsOf(change)).toEqual(problems)
  })

  test('lists at most ten names', async () => {
    const { orders } = sound().databases
    const databases = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`db-${i}`, orders]))
    const [problem] = await problemsOf(config => ({
      ...withDatabases(databases)(config),
      grants: [{ ...config.grants[0], database: 'ordres' }],
    }))
    expect(problem).toBe(
      'grants[0].database: is not in databases (orders, db-0, db-1, db-2, db-3, db-4, db-5, db-6, db-7, db-8, …): did you mean orders?',
    )
  })
})

describe('checkGrants on the scope of a grant', () => {
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
  ])('rejects %j', async (principal, problem) => {
    expect(await problemsOf(withPrincipal(principal))).toEqual([expect.stringMatching(problem)])
  })

  test.each([
    { issuer: 'own', anyone: true },
    { issuer: 'github', claims: { repository_id: 123456 } },
    { issuer: 'github', subject: 'repo:acme/*' },
    { issuer: 'apiKey', subject: ['nightly'] },
    { issuer: 'apiKey', anyone: true },
  ])('accepts %j', async principal => {
    expect(await problemsOf(withPrincipal(principal))).toEqual([])
  })

  const shared = { issuer: 'https://x.example', audience: 'a', tenancy: 'shared', owner: ['org_id'] }

  test.each([{ claims: { ref: 'main' } }, { anyone: true }, { subject: 'x' }, { claims: { org_id: '7*' } }])(
    'rejects, for an issuer that is declared shared, %j',
    async conditions => {
      const config = (before: Sound) => ({
        ...withPrincipal({ issuer: 'x', ...conditions })(before),
        issuers: { ...before.issuers, x: shared },
      })
      expect(await problemsOf(config)).toEqual([
        expect.stringMatching(/^grants\[0\]\.principal: the whole world .* by one of org_id, as in/),
      ])
    },
  )

  test('accepts, for an issuer that is declared shared, its owner', async () => {
    const config = (before: Sound) => ({
      ...withPrincipal({ issuer: 'x', claims: { org_id: [7, 'o8'], ref: '**' } })(before),
      issuers: { ...before.issuers, x: shared },
    })
    expect(await problemsOf(config)).toEqual([])
  })

  test('is not checked if the issuer is unknown', async () => {
    expect(await problemsOf(withPrincipal({ issuer: 'gitlab', anyone: true }))).toEqual([
      'grants[0].principal.issuer: is not in issuers (github, own)',
    ])
  })
})

test('loadConfig keeps an unquoted number in a claim as it is written', async () => {
  const text = JSON.stringify(withPrincipal({ issuer: 'own', claims: 'CLAIMS' })(sound()))
  const path = await written(text.replace('"CLAIMS"', '{ version: 1.10, id: [12345678901234567890, 7] }'))
  expect((await loadConfig(path)).grants[0]?.principal.claims).toEqual({
    version: '1.10',
    id: ['12345678901234567890', 7],
  })
})

describe('checkGrants on conditions that contradict each other', () => {
  test.each([
    [{ subject: 'a', claims: { sub: 'b' } }, 'wants one `sub` by its subject and another by its claims'],
    [{ subject: ['a', 'b/*'], claims: { sub: ['c', 'd'] } }, 'wants one `sub` by its subject'],
    [
      { subject: 'a', claims: { iss: 'https://other.example' } },
      'wants another `iss` than that of its issuer',
    ],
  ])('rejects %j', async (members, problem) => {
    expect(await problemsOf(withPrincipal({ issuer: 'own', ...members }))).toEqual([
      expect.stringContaining(`grants[0].principal: ${problem}`),
    ])
  })

  test.each([
    { subject: 'a', claims: { sub: ['b', 'a'] } },
    { subject: 'a*', claims: { sub: '*b' } },
    { subject: 'a*', claims: { sub: 'ab' } },
    { subject: 'a', claims: { iss: 'https://issuer.*' } },
    { subject: 'a', claims: { iss: ['https://other.example', 'https://issuer.example'] } },
  ])('accepts %j', async members => {
    expect(await problemsOf(withPrincipal({ issuer: 'own', ...members }))).toEqual([])
  })
})

describe('checkGrants on times', () => {
  test.each<[string, object, string[]]>([
    ['none', {}, []],
    [
      'both, in different zones',
      { notBefore: '2026-11-23T10:00:00Z', notAfter: '2026-11-23T12:00:01+02:00' },
      [],
    ],
    ['one that is over', { notAfter: '2020-01-01T00:00:00Z' }, []],
    [
      'a time without a zone',
      { notAfter: '2026-12-31T18:00:00' },
      [
        'grants[0].notAfter: has no time zone: write 2026-12-31T18:00:00Z if it is in UTC, or 2026-12-31T18:00:00+01:00 and the like',
      ],
    ],
    [
      'a day',
      { notBefore: '2026-12-31' },
      [
        'grants[0].notBefore: is a day and not a moment: write one such as 2026-12-31T18:00:00Z, with a time zone',
      ],
    ],
    [
      'two that are no times, which are not quoted',
      { notBefore: '2026-02-30T00:00:00Z', notAfter: 'AKIAIOSFODNN7EXAMPLE' },
      ['notBefore', 'notAfter'].map(
        key =>
          `grants[0].${key}: is not a time by RFC 3339: write one such as 2026-12-31T18:00:00Z, or 2026-12-31T18:00:00+01:00`,
      ),
    ],
    [
      'an end at the beginning',
      { notBefore: '2026-11-23T10:00:00Z', notAfter: '2026-11-23T12:00:00+02:00' },
      ['grants[0].notAfter: must be later than notBefore, or this is never in force'],
    ],
    [
      'an end before the beginning',
      { notBefore: '2026-11-23T10:00:00Z', notAfter: '2026-11-23T09:00:00Z' },
      ['grants[0].notAfter: must be later than notBefore, or this is never in force'],
    ],
    ['a number', { notAfter: 20261231 }, ['grants[0].notAfter: must be text: put it in quotes']],
  ])('%s', async (_, times, problems) => {
    expect(await problemsOf(withGrants({ name: 'a', ...times }))).toEqual(problems)
  })

  test('lets the example of docs/configuration.md pass', async () => {
    const { grants } = parse(exampleIn(await readDocsPage('configuration'), 'grant-times'))
    expect(await problemsOf(config => ({ ...config, grants }))).toEqual([])
  })

  test('warns of a grant that has ended, and of none that is to begin', async () => {
    const path = await written(
      withGrants(
        { name: 'over', notAfter: '2026-11-23T10:00:00Z' },
        { name: 'later', users: ['app_ro'], notBefore: '2026-11-24T10:00:00Z' },
      )(sound()),
    )
    const warningsAt = async (iso: string) =>
      (await loadConfig(path, { now: Date.parse(iso) })).warnings
        ?.filter(({ path }) => path.startsWith('grants'))
        .map(({ path, message }) => [path, message])
    expect(await warningsAt('2026-11-23T10:00:00Z')).toEqual([])
    expect(await warningsAt('2026-11-23T10:00:00.001Z')).toEqual([
      ['grants[0].notAfter', 'ended at 2026-11-23T10:00:00Z and is for nobody any more: leave it out'],
    ])
  })
})
