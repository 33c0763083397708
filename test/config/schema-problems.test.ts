import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { findSchemaProblems } from '../../src/config/schema-problems.ts'
import { validate } from '../../src/config/validator.ts'
import {
  problemsOf,
  type Sound,
  sound,
  withApiKeys,
  withDatabases,
  withGrants,
  withIssuers,
  withOrders,
  withPrincipal,
  withServer,
  withStore,
  written,
} from './support.ts'

const withClaims = (claims: unknown) => withPrincipal({ issuer: 'own', claims })

const CLAIM = 'text, a number, true or false, a list, as in [a, b]'

describe('findSchemaProblems', () => {
  test('finds nothing in a sound configuration', async () => {
    expect(await problemsOf(config => config)).toEqual([])
  })

  test('reports only the errors of the form that has the type of the value', async () => {
    const nightly = { sha256: ['a'.repeat(64), 7] }
    // what ajv reports, as in the doc comment of relevantErrors
    validate(withApiKeys({ nightly })(sound()))
    expect(validate.errors?.map(({ instancePath, schemaPath }) => [instancePath, schemaPath])).toEqual([
      ['/apiKeys/nightly/sha256', expect.stringMatching(/\/sha256\/anyOf\/0\/type$/)],
      ['/apiKeys/nightly/sha256/1', expect.stringMatching(/\/sha256\/anyOf\/1\/items\/type$/)],
      ['/apiKeys/nightly/sha256', expect.stringMatching(/\/sha256\/anyOf$/)],
    ])
    expect(await problemsOf(withApiKeys({ nightly }))).toEqual([
      'apiKeys.nightly.sha256[1]: must be text: put it in quotes',
    ])
    expect(await problemsOf(withApiKeys({ nightly: { sha256: {} } }))).toEqual([
      'apiKeys.nightly.sha256: must be text or a list, as in [a, b]',
    ])
  })

  test('finds something in every value that the schema does not allow', async () => {
    const anyClaim = fc.letrec<{ claim: unknown }>(tie => ({
      claim: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, 7, 'x', true, [], {}),
        fc.array(tie('claim'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'anyOf', '0', '1', '10'), tie('claim'), { maxKeys: 3 }),
      ),
    })).claim
    await fc.assert(
      fc.asyncProperty(anyClaim, async claim => {
        const config = withClaims({ claim })(sound())
        const problems = await findSchemaProblems(config)
        expect(problems.length > 0).toBe(!validate(config))
      }),
    )
  })

  test.each<[string, (config: Sound) => unknown, string]>([
    [
      'an unknown key',
      c => ({ ...c, grant: [] }),
      'grant: unknown key; known here: $schema, server, issuers, apiKeys, databases, grants, operators, store, audit',
    ],
    [
      'an unknown key further down',
      withOrders({ hots: 'x' }),
      'databases.orders.hots: unknown key; known here: engine, host, port, resourceId, roleArn, externalId, users, dbname, connect, limits',
    ],
    ['a missing key', withOrders({ roleArn: undefined }), 'databases.orders.roleArn: is required'],
    ['a missing section', ({ databases, ...c }) => ({ ...c, grants: [] }), 'databases: is required'],
    [
      'a value in the place of a list',
      withOrders({ users: 'app_ro' }),
      'databases.orders.users: must be a list, as in [a, b]',
    ],
    ['a list in the place of a value', withOrders({ host: ['x'] }), 'databases.orders.host: must be text'],
    [
      'an unquoted number',
      withOrders({ externalId: 12 }),
      'databases.orders.externalId: must be text: put it in quotes',
    ],
    [
      'an empty section',
      c => ({ ...c, apiKeys: null }),
      'apiKeys: is empty; it must be a mapping of names to values',
    ],
    ['empty text', withOrders({ dbname: '' }), 'databases.orders.dbname: must not be empty'],
    ['an empty list', withOrders({ users: [] }), 'databases.orders.users: must not be empty'],
    [
      'a value that is not one of the choices',
      withOrders({ engine: 'oracle' }),
      'databases.orders.engine: must be one of postgres, mysql, mariadb',
    ],
    ['a number out of range', withServer({ port: 65_536 }), 'server.port: must be from 0 to 65535'],
    ['a number beyond all ranges', withServer({ port: 1e300 }), 'server.port: must be from 0 to 65535'],
    ['a broken number', withServer({ port: 80.5 }), 'server.port: must be a whole number'],
    [
      'a rate of zero',
      withOrders({ limits: { newTokensPerSecond: 0 } }),
      'databases.orders.limits.newTokensPerSecond: must be from 0.1 to 20',
    ],
    [
      'a bad name of a database',
      withDatabases({ Orders_1: sound().databases.orders }),
      'databases.Orders_1: is not a valid name (Databases that tokens are signed for, by name: a-z, 0-9 and -, 32 at most)',
    ],
    [
      'a bad name of an issuer, whatever it is',
      withIssuers({ 'a b': 5 }),
      'issuers.a…: is not a valid name (Issuers whose JWTs are accepted, by name: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a bad name of an API key',
      withApiKeys({ '-x': sound().apiKeys.nightly }),
      'apiKeys.-x: is not a valid name (API keys for callers without a JWT, by name: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a bad name of a grant',
      withGrants({ name: 'a\nb' }),
      'grants[0].name: has the wrong format (Its name in audit records: letters, digits, _, . and -, a letter or digit first, 64 at most)',
    ],
    [
      'a claim that is null',
      withClaims({ ref: null }),
      `grants[0].principal.claims.ref: is empty; it must be ${CLAIM} or a mapping of names to values`,
    ],
    ['a claim without a value', withClaims({ ref: [] }), 'grants[0].principal.claims.ref: must not be empty'],
    [
      'an element of the wrong type',
      withClaims({ ref: ['a', ['b']] }),
      'grants[0].principal.claims.ref[1]: must be text, a number or true or false',
    ],
    [
      'a nested claim that is null',
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
      'a claim with a line break in its name',
      withClaims({ 'a\nb': null }),
      `grants[0].principal.claims.a\\nb: is empty; it must be ${CLAIM} or a mapping of names to values`,
    ],
    [
      'a subject that is a number',
      withPrincipal({ issuer: 'own', subject: 7 }),
      'grants[0].principal.subject: must be text: put it in quotes',
    ],
    [
      'a third hash of a key',
      withApiKeys({ nightly: { sha256: ['a', 'b', 'c'].map(x => x.repeat(64)) } }),
      'apiKeys.nightly.sha256: must not have more than 2 elements',
    ],
    ['an unknown type of store', withStore({ type: 'redis' }), 'store.type: must be one of memory, dynamodb'],
  ])('reports %s, and nothing else', async (_, broken, problem) => {
    expect(await problemsOf(broken)).toEqual([problem])
  })

  test.each([
    ['', 'the file is empty; it must contain a mapping of names to values'],
    ['# nothing but a comment\n', 'the file is empty; it must contain a mapping of names to values'],
    ['just text', 'the file must contain a mapping of names to values'],
    ['[1, 2]', 'the file must contain a mapping of names to values'],
  ])('reports a file that contains no mapping: %j', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([problem])
  })

  test('treats names like __proto__ as any other', async () => {
    const unknown = await problemsOf('{"databases": {}, "grants": [], "__proto__": {"databases": 1}}')
    expect(unknown).toEqual([expect.stringMatching(/^__proto__: unknown key/)])
    expect(await problemsOf('{"databases": {"__proto__": {}}, "grants": [], "constructor": 1}')).toEqual([
      expect.stringMatching(/^constructor: unknown key/),
      expect.stringMatching(/^databases\.__proto__: is not a valid name/),
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
    expect(await problemsOf(withGrants({ database: 'toString' }))).toEqual([
      'grants[0].database: is not in databases (orders)',
    ])
  })

  test.each([
    ['externalId hunter2', 'externalId'],
    ['externalId:hunter2', 'externalId'],
    ['externalId=hunter2', 'externalId'],
  ])('does not quote what runs on from a key: %s', async (key, name) => {
    const orders = { ...sound().databases.orders, [key]: null }
    expect(await problemsOf(c => ({ ...c, databases: { orders } }))).toEqual([
      `databases.orders.${name}…: unknown key: write ${name}: VALUE, with a colon and a space`,
    ])
    const named = { ...sound().databases, [key]: null }
    const grants = withGrants({ database: 'x' })(sound()).grants
    const problems = await problemsOf(c => ({ ...c, databases: named, grants }))
    expect(problems).toContain(`grants[0].database: is not in databases (orders, ${name}…)`)
    expect(problems.join()).not.toContain('hunter2')
  })

  test('escapes and shortens names for the terminal', async () => {
    const [problem] = await problemsOf(c => ({ ...c, [`\u001b[2Jx${'y'.repeat(5000)}`]: 1 }))
    expect(problem).toMatch(/^\\u001b\[2Jxy+…: unknown key/)
    expect(problem?.length).toBeLessThan(250)
  })
})
