import { describe, expect, test } from 'vitest'
import { problemsOf, type Sound, withDatabases, withIssuers, withOrders, withPrincipal } from './support.ts'

describe('a problem is reported where it is and not where it is referred to', () => {
  test.each<[string, (config: Sound) => unknown, string]>([
    ['a broken database', withOrders({ host: 7 }), 'databases.orders.host: must be text: put it in quotes'],
    [
      'the users of a database',
      withOrders({ users: 'migrator' }),
      'databases.orders.users: must be a list, as in [a, b]',
    ],
    [
      'an empty database',
      withDatabases({ orders: null }),
      'databases.orders: is empty; it must be a mapping of names to values',
    ],
    [
      'a broken issuer',
      config => ({ ...config, issuers: { own: { issuer: 'https://x.example' } } }),
      'issuers.own.audience: is required',
    ],
    [
      'a broken API key',
      config => ({
        ...withPrincipal({ issuer: 'apiKey', subject: 'nightly' })(config),
        apiKeys: { nightly: {} },
      }),
      'apiKeys.nightly.sha256: is required',
    ],
    [
      'a broken issuer whose name begins like another',
      withIssuers({ 'own.b': { issuer: 7, audience: 'a' } }),
      'issuers.own.b.issuer: must be text: put it in quotes',
    ],
  ])('%s', async (_, change, problem) => {
    expect(await problemsOf(change)).toEqual([problem])
  })
})

test('a sound issuer is checked even if another with a longer name is broken', async () => {
  const issuers = {
    own: { issuer: 'http://x.example', audience: 'a' },
    'own.b': { issuer: 7, audience: 'a' },
  }
  expect(await problemsOf(config => ({ ...config, issuers }))).toEqual([
    'issuers.own.b.issuer: must be text: put it in quotes',
    expect.stringMatching(/^issuers\.own\.issuer: must be an https URL/),
  ])
})
