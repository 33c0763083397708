import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeToken as decode } from '../../../src/client/decode/decode-token.ts'
import type { Expected } from '../../../src/client/decode/token-checks.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { hostileText } from '../../support/hostile-text.ts'
import { HOST, leakIn, signWithAws } from './support.ts'

let token: string
let secrets: string[]
let now: number
beforeAll(async () => {
  ;({ token, secrets } = await signWithAws())
  now = Date.now()
})

const decodeToken = (text: string, options: Expected & { now: number }) =>
  decode(text, { sha256: sha256Hex, ...options })
const codesOf = (text: string, options = {}) =>
  decodeToken(text, { now, ...options }).problems.map(({ code }) => code)
const messagesOf = (text: string, options = {}) =>
  decodeToken(text, { now, ...options })
    .problems.map(({ message }) => message)
    .join('\n')

describe("a token of AWS's own signer", () => {
  test('says what it is for, and nothing is wrong', () => {
    const decoded = decodeToken(token, { now, user: 'migrator', host: HOST, port: 5432 })
    expect(decoded).toEqual({
      host: HOST,
      port: 5432,
      user: 'migrator',
      region: 'us-east-1',
      service: 'rds-db',
      accessKeyId: 'ASIAQNZGKIQY56JQ7WML',
      signedAt: expect.any(Number),
      expiresAt: (decoded.signedAt ?? 0) + 900_000,
      bytes: token.length,
      fingerprint: sha256Hex(token),
      problems: [],
    })
    expect(Math.abs((decoded.signedAt ?? 0) - now)).toBeLessThan(5000)
  })

  test.each(['zoë', 'a&b=c#d', 'bob@corp.example', 'CORP\\bob', '100%25', 'x y'])(
    'of the user %s',
    async username => {
      const { token: other } = await signWithAws({ username })
      expect(decodeToken(other, { now, user: username })).toMatchObject({ user: username, problems: [] })
    },
  )

  test('one line break at its end is none of it', () => {
    expect(decodeToken(`${token}\n`, { now })).toEqual(decodeToken(token, { now }))
    expect(codesOf(`${token}\r\n`)).toEqual([])
  })

  test('the reply of jeton as JSON is as good', () => {
    const reply = JSON.stringify({ token, database: 'orders' }, undefined, 2)
    expect(decodeToken(reply, { now })).toMatchObject({ user: 'migrator', problems: [] })
  })
})

describe('what software did to a token is found, and undone to read it:', () => {
  test.each<[string, (text: string) => string, string, string]>([
    ['spaces around it', text => ` ${text}\t`, 'whitespace', 'around it'],
    ['two line breaks after it', text => `${text}\n\n`, 'whitespace', 'around it'],
    ['quotation marks', text => `"${text}"`, 'quotes', 'quotation marks'],
    ['curly quotation marks', text => `“${text}”`, 'quotes', 'quotation marks'],
    ['one quotation mark', text => `${text}'`, 'quotes', 'quotation marks'],
    ['a variable', text => `export PGPASSWORD='${text}'`, 'prefix', 'variable'],
    ['https', text => `https://${text}`, 'prefix', 'https://'],
    ['a prompt', text => `token: ${text}`, 'prefix', 'in front of it'],
    ['a line before it', text => `some-name\n${text}`, 'prefix', 'in front of it'],
    ['a line after it', text => `${text}\nexport PGSSLMODE=verify-full`, 'suffix', 'behind it'],
    ['a line break in it', text => `${text.slice(0, 200)}\n${text.slice(200)}`, 'whitespace', 'in it'],
    ['spaces in it', text => text.replaceAll('&', ' &'), 'whitespace', 'in it'],
    ['HTML', text => text.replaceAll('&', '&amp;'), 'escaped', '&amp;'],
    ['JSON', text => text.replaceAll('&', '\\u0026'), 'escaped', '\\u0026'],
    ['.pgpass', text => text.replaceAll(':', '\\:'), 'escaped', '.pgpass'],
    ['encodeURIComponent', encodeURIComponent, 'encoded_twice', '%25'],
    ['it twice', text => encodeURIComponent(encodeURIComponent(text)), 'encoded_twice', '%25'],
    ['an encoder of values', text => text.replaceAll('%', '%25'), 'encoded_twice', '%25'],
    ['a decoder', decodeURIComponent, 'decoded', 'undone'],
  ])('%s', (_, change, code, words) => {
    const decoded = decodeToken(change(token), { now })
    expect(decoded.problems.map(problem => problem.code)).toEqual([code])
    expect(decoded.problems[0]?.message).toContain(words)
    expect(decoded).toMatchObject({ host: HOST, port: 5432, user: 'migrator', region: 'us-east-1' })
  })
})

describe('a token is found in', () => {
  test.each<[string, (text: string) => string, string[]]>([
    ['JSON', text => JSON.stringify({ password: text }, undefined, 2), ['prefix', 'suffix']],
    ['YAML', text => `password: "${text}"`, ['quotes', 'prefix']],
    ['an option file', text => `[client]\npassword="${text}"\nport=3306\n`, ['prefix', 'suffix']],
    [
      '-o env',
      text => `export A='x?y'\nexport PGPASSWORD='${text}'\nexport B='x'\n`,
      ['quotes', 'prefix', 'suffix'],
    ],
    ['wrapped lines', text => text.replace(/.{40}/g, '$&\n'), ['whitespace']],
    ['two lines', text => `${text}\n${text}`, ['suffix']],
  ])('%s', (_, change, codes) => {
    expect(decodeToken(change(token), { now })).toMatchObject({
      host: HOST,
      user: 'migrator',
      fingerprint: sha256Hex(token),
    })
    expect(codesOf(change(token))).toEqual(codes)
  })

  test('what stands before it is not shown as a part of its endpoint', () => {
    for (const secret of secrets) {
      const end = secret.replace(/[^A-Za-z0-9]/g, '').slice(-30)
      for (const text of [
        `${end}\n${token}`,
        `${end}\n${token.replace('.rds', '')}`,
        `${end}\n${token.replace(':5432', '')}`,
        `${end}\r\nalias/?Action=connect`,
      ])
        expect(leakIn(JSON.stringify(decodeToken(text, { now })), [end])).toBeUndefined()
    }
  })
})

describe('a token that is cut', () => {
  test.each([
    [80, 'prompt of MySQL'],
    [128, 'PgBouncer before 1.11'],
    [159, 'PgBouncer before 1.16'],
    [160, 'PgBouncer before 1.16'],
    [256, 'pgagroal'],
    [270, '.pgpass'],
    [996, 'PgBouncer 1.16'],
    [1023, 'Redshift'],
    [1024, 'Redshift'],
  ])('at %i bytes names what cuts there', (length, software) => {
    expect(codesOf(token.slice(0, length))).toEqual(['cut'])
    expect(messagesOf(token.slice(0, length))).toMatch(
      new RegExp(`it ends after ${length} bytes.*${software.replace('.', '\\.')}`),
    )
  })

  test('elsewhere says where', () => {
    expect(messagesOf(token.slice(0, 700))).toContain('it ends after 700 bytes, in X-Amz-Security-Token.')
  })

  test('by a shell at its first &', () => {
    expect(codesOf(token.slice(0, token.indexOf('&')))).toEqual(['cut'])
    expect(messagesOf(token.slice(0, token.indexOf('&')))).toContain('quotation marks')
  })

  test('to its endpoint', () => {
    expect(codesOf(`${HOST}:5432/`)).toEqual(['cut'])
    expect(codesOf(HOST)).toEqual(['cut'])
  })

  test('anywhere is not a whole one, and shows nothing secret', () => {
    fc.assert(
      fc.property(fc.integer({ min: HOST.length, max: token.length - 1 }), length => {
        const decoded = decodeToken(token.slice(0, length), { now })
        expect(decoded.problems.map(({ code }) => code)).toContain('cut')
        expect(decoded.fingerprint).toBeUndefined()
        expect(leakIn(JSON.stringify(decoded), secrets)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('and sorted as other signers do is found, too', () => {
    const [endpoint = '', query = ''] = token.split('?')
    const parameters = query.split('&')
    const signature = parameters.filter(each => each.startsWith('X-Amz-Signature'))
    const others = parameters.filter(each => !each.startsWith('X-Amz-Signature'))
    const sorted = `${endpoint}?${[...others, ...signature].join('&')}`
    expect(codesOf(sorted)).toEqual([])
    expect(codesOf(sorted.slice(0, -1))).toEqual(['cut'])
    expect(codesOf(sorted.slice(0, 1300))).toEqual(['cut'])
  })
})

describe('a token that is for something else', () => {
  test('another user, endpoint or port than the one to compare with', () => {
    expect(codesOf(token, { user: 'app' })).toEqual(['wrong_user'])
    expect(messagesOf(token, { user: 'Migrator' })).toContain('the case differs')
    expect(codesOf(token, { host: 'ledger.c9akciq32xyz.us-east-1.rds.amazonaws.com' })).toEqual([
      'wrong_host',
    ])
    expect(codesOf(token, { host: HOST.toUpperCase(), port: 5433 })).toEqual(['wrong_port'])
  })

  test.each(['db.internal.example.com', 'localhost', '10.0.0.7'])(
    '%s is no endpoint of RDS',
    async hostname => {
      const { token: other } = await signWithAws({ hostname })
      expect(codesOf(other)).toEqual(['not_rds_endpoint'])
    },
  )

  test('another region than that of the endpoint', async () => {
    const { token: other } = await signWithAws({ region: 'eu-west-1' })
    expect(codesOf(other)).toEqual(['wrong_region'])
  })

  test.each<[string, (text: string) => string, string]>([
    ['no port', text => text.replace(':5432', ''), 'no_port'],
    ['no slash', text => text.replace('/?', '?'), 'no_path'],
    ['another action', text => text.replace('=connect', '=DescribeDBInstances'), 'wrong_action'],
    ['no user', text => text.replace('DBUser=migrator&', ''), 'wrong_user'],
    ['two days', text => text.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101'), 'malformed'],
    ['no algorithm', text => text.replace(/X-Amz-Algorithm=[^&]*&/, ''), 'malformed'],
    ['a broken escape', text => text.replace('%2Frds', '%Zrds'), 'malformed'],
    ['two tokens in one', text => text + text.slice(text.indexOf('&')), 'malformed'],
    ['other characters', text => text.replace('DBUser=', 'DBUser=\u200b'), 'other_characters'],
    ['an hour', text => text.replace('Expires=900', 'Expires=3600'), 'lifetime'],
    ['DSQL', text => text.replace('rds-db', 'dsql').replace('=connect', '=DbConnect'), 'other_service'],
    ['ElastiCache', text => text.replace('rds-db', 'elasticache'), 'other_service'],
    ['Redshift', text => text.replace('rds-db', 'redshift-serverless'), 'other_service'],
    ['an unknown service', text => text.replace('rds-db', 'other'), 'other_service'],
  ])('%s', (_, change, code) => {
    expect(codesOf(change(token))).toContain(code)
  })

  test('temporary credentials without their session token', async () => {
    const { token: other } = await signWithAws({ sessionToken: null })
    expect(codesOf(other)).toEqual(['no_session_token'])
    const { token: ofUser } = await signWithAws({ sessionToken: null, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' })
    expect(codesOf(ofUser)).toEqual([])
  })

  test('another time', () => {
    const { signedAt = 0 } = decodeToken(token, { now })
    const at = (ms: number) => decodeToken(token, { now: signedAt + ms }).problems.map(({ code }) => code)
    expect([at(-301_000), at(-299_000), at(899_999), at(900_000)]).toEqual([
      ['not_yet_valid'],
      [],
      [],
      ['expired'],
    ])
  })
})

describe('what is no token', () => {
  test.each([
    ['', 'there is no text'],
    ['hunter2', 'it is not a token of RDS'],
    [`${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30.c2ln`, 'it is a JWT'],
    [`jeton_${'a'.repeat(43)}`, 'it is an API key of jeton'],
    ['k8s-aws-v1.aHR0cHM6', 'Kubernetes on EKS'],
    ['AKIAIOSFODNN7EXAMPLE', 'AWS access key'],
    ['postgres://me:hunter2@db.example.com/orders', 'a connection string'],
    ['-----BEGIN PRIVATE KEY-----', 'PEM'],
  ])('%s', (text, words) => {
    const decoded = decodeToken(text, { now })
    expect(decoded.problems).toEqual([{ code: 'not_a_token', message: expect.stringContaining(words) }])
    expect(JSON.stringify(decoded)).not.toContain('hunter2')
  })
})

test.each([
  'DBUser=mig',
  'X-Amz-Credential=ASIAQNZGKIQY56JQ7WML%2F',
  'Action=con',
  'X-Amz-Date=2026',
  'X-Amz-Expires=9',
])('of a token that lost all from %s to the end of its session token, nothing secret is shown', beginning => {
  const from = token.indexOf(beginning.replace('2026', new Date(now).getUTCFullYear().toString()))
  const end = token.indexOf('&X-Amz-Signature=')
  expect([from > 0, end > from]).toEqual([true, true])
  for (const kept of [20, 40, 100]) {
    const damaged = token.slice(0, from + beginning.length) + token.slice(end - kept)
    expect(leakIn(JSON.stringify(decodeToken(damaged, { now })), secrets)).toBeUndefined()
  }
})

/** encodeURIComponent throws on half a surrogate pair. */
const wellFormed = (text: string) => Buffer.from(text).toString()

/** What a text may suffer on its way. */
const damage = fc.oneof(
  fc.tuple(fc.nat(1600), fc.nat(1600)).map(
    ([from, length]) =>
      (text: string) =>
        text.slice(0, from) + text.slice(from + length),
  ),
  fc.nat(1600).map(length => (text: string) => text.slice(length)),
  fc.tuple(fc.nat(1600), hostileText).map(
    ([at, extra]) =>
      (text: string) =>
        text.slice(0, at) + extra + text.slice(at),
  ),
  fc.constantFrom<(text: string) => string>(
    encodeURIComponent,
    text => text.replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    text => `"${text}"`,
    text => text + text,
    text => text.replaceAll('&', ';'),
    text => `x:${text}`,
  ),
)

test('whatever becomes of a token, nothing secret of it is shown, and nothing throws', () => {
  fc.assert(
    fc.property(fc.array(damage, { maxLength: 3 }), damages => {
      const text = damages.reduce((before, change) => change(wellFormed(before)), token)
      expect(leakIn(JSON.stringify(decodeToken(text, { now })), secrets)).toBeUndefined()
    }),
    { numRuns: 1000 },
  )
})
