import { describe, expect, test } from 'vitest'
import { problemsOf, type Sound, sound } from '../support.ts'

const withGrants =
  (...grants: object[]) =>
  (config: Sound) => ({ ...config, grants: grants.map(grant => ({ ...config.grants[0], ...grant })) })
const withPrincipal = (principal: object) => withGrants({ principal })
const withDatabases = (databases: object) => (config: Sound) => ({
  ...config,
  databases: { ...config.databases, ...databases },
})

describe('what names lead to', () => {
  test.each<[string, (config: Sound) => unknown, string[]]>([
    [
      'an unknown issuer',
      withPrincipal({ issuer: 'gitlab', subject: 'x' }),
      ['grants[0].principal.issuer: is not in issuers (github, own)'],
    ],
    [
      'an issuer where there are none',
      ({ issuers, ...config }) => config,
      ['grants[0].principal.issuer: is not in issuers (none)'],
    ],
    [
      'an unknown database',
      withGrants({ database: 'ordres' }),
      ['grants[0].database: is not in databases (orders)'],
    ],
    [
      'an unknown user',
      withGrants({ users: ['migrator', 'root'] }),
      ['grants[0].users[1]: is not among the users of databases.orders'],
    ],
    [
      'an unknown API key',
      withPrincipal({ issuer: 'apiKey', subject: 'nigthly' }),
      ['grants[0].principal.subject: is not the name of one of the apiKeys (nightly)'],
    ],
    [
      'an unknown API key in a list',
      withPrincipal({ issuer: 'apiKey', subject: ['nightly', 'x', 'n*'] }),
      ['grants[0].principal.subject[1]: is not the name of one of the apiKeys (nightly)'],
    ],
    [
      'a name that stands twice',
      withGrants({ name: 'a' }, { name: 'b', users: 7 }, { name: 'a' }, { name: 'a' }),
      [
        'grants[1].users: must be a list, as in [a, b]',
        'grants[2].name: is the name of grants[0] too; records name a grant by it',
        'grants[3].name: is the name of grants[0] too; records name a grant by it',
      ],
    ],
    [
      'an issuer by the name of the API keys',
      config => ({
        ...config,
        issuers: { ...config.issuers, apiKey: { issuer: 'https://x.example', audience: 'a' } },
      }),
      ['issuers.apiKey: is the name that API keys go by: choose another'],
    ],
    [
      'one key of two names',
      config => ({
        ...config,
        apiKeys: { ...config.apiKeys, other: { sha256: '9F86D081'.repeat(8) } },
      }),
      ['apiKeys.other.sha256: is the key of apiKeys.nightly too'],
    ],
    [
      'one key named twice',
      config => ({ ...config, apiKeys: { nightly: { sha256: ['a'.repeat(64), 'A'.repeat(64)] } } }),
      ['apiKeys.nightly.sha256: names one key twice'],
    ],
  ])('refuses %s', async (_, broken, problems) => {
    expect(await problemsOf(broken)).toEqual(problems)
  })

  test('tells no more names than help', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`db-${i}`, sound().databases.orders]),
    )
    const [problem] = await problemsOf(config => ({ ...config, databases: many }))
    expect(problem).toMatch(/^grants\[0\]\.database: is not in databases \(db-0, .*db-9, …\)$/)
  })

  test.each<[string, (config: Sound) => unknown, string]>([
    [
      'a database that is broken',
      withDatabases({ orders: { ...sound().databases.orders, host: 7 } }),
      'databases.orders.host: must be text: put it in quotes',
    ],
    [
      'the users of a database',
      withDatabases({ orders: { ...sound().databases.orders, users: 'migrator' } }),
      'databases.orders.users: must be a list, as in [a, b]',
    ],
    [
      'a database that is nothing',
      withDatabases({ orders: null }),
      'databases.orders: is empty; it must be a mapping of names to values',
    ],
    [
      'an issuer that is broken',
      config => ({ ...config, issuers: { own: { issuer: 'https://x.example' } } }),
      'issuers.own.audience: is required',
    ],
    [
      'an API key that is broken',
      config => ({
        ...withPrincipal({ issuer: 'apiKey', subject: 'nightly' })(config),
        apiKeys: { nightly: {} },
      }),
      'apiKeys.nightly.sha256: is required',
    ],
    [
      'an issuer whose name begins like a broken one',
      config => ({
        ...config,
        issuers: { ...config.issuers, 'own.b': { issuer: 7, audience: 'a' } },
      }),
      'issuers.own.b.issuer: must be text: put it in quotes',
    ],
  ])('tells a fault where it lies and not where it is referred to: %s', async (_, broken, problem) => {
    expect(await problemsOf(broken)).toEqual([problem])
  })

  test('looks at an issuer though another with a longer name is broken', async () => {
    const issuers = {
      own: { issuer: 'http://x.example', audience: 'a' },
      'own.b': { issuer: 7, audience: 'a' },
    }
    expect(await problemsOf(config => ({ ...config, issuers }))).toEqual([
      'issuers.own.b.issuer: must be text: put it in quotes',
      expect.stringMatching(/^issuers\.own\.issuer: must be an https URL/),
    ])
  })
})
