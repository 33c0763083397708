import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { problemsOf, type Sound, sound, written } from './support.ts'

/** The sound configuration with members of one grant replaced. */
const withGrant = (members: object) => (config: Sound) => ({
  ...config,
  grants: [{ ...config.grants[0], ...members }],
})
const withClaims = (claims: unknown) => withGrant({ principal: { issuer: 'own', claims } })
const withOrders = (members: object) => (config: Sound) => ({
  ...config,
  databases: { orders: { ...config.databases.orders, ...members } },
})

const CLAIM = 'text, a number, true or false, a list, as in [a, b]'

describe('what is not of the schema', () => {
  test('begins from something sound', async () => {
    expect(await problemsOf(config => config)).toEqual([])
  })

  test.each<[string, (config: Sound) => unknown, string]>([
    [
      'an unknown key',
      c => ({ ...c, grant: [] }),
      'grant: unknown key; known here: $schema, server, issuers, apiKeys, databases, grants, store, audit',
    ],
    [
      'an unknown key further down',
      withOrders({ hots: 'x' }),
      'databases.orders.hots: unknown key; known here: engine, host, port, resourceId, roleArn, externalId, users, dbname, connect, limits',
    ],
    ['a key that lacks', withOrders({ roleArn: undefined }), 'databases.orders.roleArn: is required'],
    ['a section that lacks', ({ databases, ...c }) => ({ ...c, grants: [] }), 'databases: is required'],
    [
      'one for a list',
      withOrders({ users: 'app_ro' }),
      'databases.orders.users: must be a list, as in [a, b]',
    ],
    ['a list for one', withOrders({ host: ['x'] }), 'databases.orders.host: must be text'],
    [
      'an unquoted number',
      withOrders({ externalId: 12 }),
      'databases.orders.externalId: must be text: put it in quotes',
    ],
    [
      'nothing at all',
      c => ({ ...c, apiKeys: null }),
      'apiKeys: is empty; it must be a mapping of names to values',
    ],
    ['empty text', withOrders({ dbname: '' }), 'databases.orders.dbname: must not be empty'],
    ['an empty list', withOrders({ users: [] }), 'databases.orders.users: must not be empty'],
    [
      'one of no list',
      withOrders({ engine: 'oracle' }),
      'databases.orders.engine: must be one of postgres, mysql, mariadb',
    ],
    [
      'a number out of range',
      c => ({ ...c, server: { port: 65_536 } }),
      'server.port: must be from 0 to 65535',
    ],
    [
      'a number beyond all ranges',
      c => ({ ...c, server: { port: 1e300 } }),
      'server.port: must be from 0 to 65535',
    ],
    ['a broken number', c => ({ ...c, server: { port: 80.5 } }), 'server.port: must be a whole number'],
    [
      'a pace of nothing',
      withOrders({ limits: { newTokensPerSecond: 0 } }),
      'databases.orders.limits.newTokensPerSecond: must be from 0.1 to 20',
    ],
    [
      'a bad name of a database',
      c => ({ ...c, databases: { ...c.databases, Orders_1: c.databases.orders } }),
      'databases.Orders_1: is no name to be used here (What tokens are signed for, by name: a-z, 0-9 and -, 32 at most)',
    ],
    [
      'a bad name of an issuer, whatever it is',
      c => ({ ...c, issuers: { ...c.issuers, 'a b': 5 } }),
      'issuers.a b: is no name to be used here (Whose JWTs are accepted, by name: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a bad name of an API key',
      c => ({ ...c, apiKeys: { ...c.apiKeys, '-x': c.apiKeys.nightly } }),
      'apiKeys.-x: is no name to be used here (Keys for callers that can do no better, by name: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a bad name of a grant',
      withGrant({ name: 'a\nb' }),
      'grants[0].name: is not of the form it needs (What records call it: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a claim of no kind',
      withClaims({ ref: null }),
      `grants[0].principal.claims.ref: is empty; it must be ${CLAIM} or a mapping of names to values`,
    ],
    ['a claim without a value', withClaims({ ref: [] }), 'grants[0].principal.claims.ref: must not be empty'],
    [
      'an element of no kind',
      withClaims({ ref: ['a', ['b']] }),
      'grants[0].principal.claims.ref[1]: must be text, a number or true or false',
    ],
    [
      'a nested claim of no kind',
      withClaims({ 'kubernetes.io': { pod: { 'x/y~z': null } } }),
      `grants[0].principal.claims.kubernetes.io.pod.x/y~z: is empty; it must be ${CLAIM} or a mapping of names to values`,
    ],
    [
      'claims nested too deeply',
      withClaims({ a: { b: { c: { d: { e: 'x' } } } } }),
      `grants[0].principal.claims.a.b.c.d: must be ${CLAIM}`.replace(', a list', ' or a list'),
    ],
    ['no claims', withClaims({}), 'grants[0].principal.claims: must not be empty'],
    [
      'a claim by the name of a line break',
      withClaims({ 'a\nb': null }),
      `grants[0].principal.claims.a\\nb: is empty; it must be ${CLAIM} or a mapping of names to values`,
    ],
    [
      'a subject that is a number',
      withGrant({ principal: { issuer: 'own', subject: 7 } }),
      'grants[0].principal.subject: must be text: put it in quotes',
    ],
    [
      'a third hash of a key',
      c => ({ ...c, apiKeys: { nightly: { sha256: ['a', 'b', 'c'].map(x => x.repeat(64)) } } }),
      'apiKeys.nightly.sha256: must not have more than 2',
    ],
    [
      'a store of a later release',
      c => ({ ...c, store: { type: 'redis' } }),
      'store.type: must be one of memory, dynamodb',
    ],
  ])('tells %s, and nothing else', async (_, broken, problem) => {
    expect(await problemsOf(broken)).toEqual([problem])
  })

  test.each([
    ['', 'the file is empty; it must hold a mapping of names to values'],
    ['# nothing but a comment\n', 'the file is empty; it must hold a mapping of names to values'],
    ['just text', 'the file must hold a mapping of names to values'],
    ['[1, 2]', 'the file must hold a mapping of names to values'],
  ])('tells of a file that holds no mapping: %j', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([problem])
  })

  test('gives names like __proto__ no power', async () => {
    const unknown = await problemsOf('{"databases": {}, "grants": [], "__proto__": {"databases": 1}}')
    expect(unknown).toEqual([expect.stringMatching(/^__proto__: unknown key/)])
    expect(await problemsOf('{"databases": {"__proto__": {}}, "grants": [], "constructor": 1}')).toEqual([
      expect.stringMatching(/^constructor: unknown key/),
      expect.stringMatching(/^databases\.__proto__: is no name/),
    ])

    const odd = { ...sound().databases.orders, users: ['toString'] }
    const claims = '{"__proto__": "x", "hasOwnProperty": ["y"]}'
    const text = JSON.stringify({
      ...sound(),
      databases: { constructor: odd },
      grants: [
        {
          name: 'valueOf',
          principal: { issuer: 'own', claims: 'CLAIMS' },
          database: 'constructor',
          users: ['toString'],
        },
      ],
    }).replace('"CLAIMS"', claims)
    const { grants, databases } = await loadConfig(await written(text))
    expect(databases.map(({ name }) => name)).toEqual(['constructor'])
    expect(JSON.stringify(grants[0]?.principal.claims)).toBe(claims.replaceAll(': ', ':').replace(', ', ','))
    expect(await problemsOf(withGrant({ database: 'toString' }))).toEqual([
      'grants[0].database: is not in databases (orders)',
    ])
  })

  test('shows names so that they cannot write to a terminal', async () => {
    const [problem] = await problemsOf(c => ({ ...c, [`\u001b[2Jx${'y'.repeat(5000)}`]: 1 }))
    expect(problem).toMatch(/^\\u001b\[2Jxy+…: unknown key/)
    expect(problem?.length).toBeLessThan(250)
  })
})
