import { describe, expect, test } from 'vitest'
import { createExcerpts } from '../../../src/config/excerpt/excerpt.ts'

function shown(text: string, line: number, column: number): string {
  const excerpt = createExcerpts(text)({ line, column })
  return `${excerpt.line}\n${' '.repeat(excerpt.caretStart)}${'^'.repeat(excerpt.caretLength)}`
}

describe('an excerpt', () => {
  test('has the line as it is written, and marks the value', () => {
    expect(shown('server:\n  host: 0.0.0.0\n', 2, 9)).toBe('  host: 0.0.0.0\n        ^^^^^^^')
    expect(shown('server: { "host": "x", port: 1 }', 1, 11)).toBe(
      'server: { "host": "x", port: 1 }\n          ^^^^^^',
    )
  })

  test('is printable, and marks the right place if it is longer so', () => {
    expect(shown('server: { host: "a\u200bb", port: 1 }', 1, 30)).toBe(
      'server: { host: "a\\u200bb", port: 1 }\n                                  ^',
    )
  })

  test('is cut around the place', () => {
    const text = JSON.stringify({ databases: {}, server: { host: 'h'.repeat(90), port: 70_000 }, grants: [] })
    const [line = '', caret = ''] = shown(text, 1, text.indexOf('70000') + 1).split('\n')
    expect(line).toMatch(/^….{120}$/)
    expect(line.slice(caret.indexOf('^'), caret.length)).toBe('70000')
  })

  test('of a line with thousands of values is as short', () => {
    const text = JSON.stringify(Array(20_000).fill('x'))
    expect(shown(text, 1, 40_001).length).toBeLessThan(300)
  })
})

const SECRET = 'hunter2'
const API_KEY = `jeton_${'s3cretS3'.repeat(5)}`

describe('an excerpt hides', () => {
  test.each([
    ['the hash of an API key', `apiKeys: { a: { sha256: ${SECRET} } }`],
    ['what stands in the place of an API key', `apiKeys:\n  a: ${SECRET}`],
    ['an external id', `databases: { a: { externalId: ${SECRET} } }`],
    ['a misspelled external id', `databases: { a: { external_ID: ${SECRET} } }`],
    ['a value under an unknown key', `databases: { a: { password: ${SECRET} } }`],
    ['all below an unknown key', `databases: { a: { credentials: { host: ${SECRET} } } }`],
    ['a subject that names an API key', `grants: [{ principal: { issuer: apiKey, subject: [${SECRET}] } }]`],
    ['what an external id is an alias of', `databases: { a: { dbname: &x ${SECRET}, externalId: *x } }`],
    ['an alias that is no alias', `databases: { a: { externalId: *${SECRET} } }`],
    ['an anchor that is no anchor', `databases: { a: { externalId: &${SECRET} } }`],
    ['a comment', `server: { port: 1 } # ${SECRET}`],
    ['a comment with a quote', `server: # '${SECRET}' "\n  port: 1`],
    ['a password in a URL', `issuers: { a: { issuer: "https://me:${SECRET}@x.example" } }`],
    ['a login in a host', `databases: { a: { host: me:${SECRET}@x } }`],
    ['a token in the query of a URL', `issuers: { a: { issuer: "https://x/?access_token=${SECRET}" } }`],
    ['a line of text', `databases: { a: { externalId: "\n ${SECRET}" } }`],
    ['an unclosed external id', `databases:\n  a:\n    externalId: "${SECRET}`],
    ['an external id with two colons', `databases:\n  a:\n    externalId: a: ${SECRET}`],
    ['an external id on a line of its own', `databases:\n  a:\n    externalId:\n      "${SECRET}`],
    ['a hash in flow that is not closed', `apiKeys: { a: { sha256: ${SECRET}`],
    ['a key that has no colon', `databases:\n  a:\n    password ${SECRET}\n    host: x`],
    ['an unknown key that is not closed', `databases:\n  a:\n    secret: "${SECRET}`],
    ['an API key of a broken grant', `grants:\n- principal:\n    issuer: apiKey\n    subject: "${SECRET}`],
    ['what runs on from a key', `databases: { a: { externalId ${SECRET}, host: x } }`],
    ['what runs on from a colon', `databases: { a: { externalId:${SECRET} } }`],
    [
      'the subject of a misspelled principal',
      `grants: [{ principal: { issuer: apikey, suject: ${SECRET} } }]`,
    ],
    [
      'the subject of an issuer that runs on',
      `grants: [{ principal: { issuer:apiKey, subject: ${SECRET} } }]`,
    ],
    ['a subject that is no alias', `grants: [{ principal: { issuer: apiKey, subject: *${SECRET} } }]`],
    ['text that goes on', `databases:\n  a:\n    externalId: >-\n      x\n ${SECRET}\n  "`],
    ['an item of a broken list', `grants:\n- principal:\n  issuer: apiKey\n  subject:\n  x\n - ${SECRET}`],
    ['text below a name', `databases:\n  a:\n      ${SECRET}\n    host: x`],
    ['a misspelled external id in braces', `databases: { a: { host: x, extrenalId: ${SECRET}`],
    ['an external id in braces without a colon', `databases: { a: { host: x, xternalId ${SECRET}`],
    ['an unknown key in braces', `databases: { a: { host: x, pw: ${SECRET}`],
    ['a tag', `databases: { a: { externalId: !${SECRET} } }`],
    ['an API key', `databases: { a: { dbname: ${API_KEY} } }`],
    ['an API key as a name', `databases: { ${API_KEY}: { dbname: x } }`],
    ['random base64', `store: { encryption: { keyFile: q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJs3o= } }`],
    ['PEM', `server: { tls: { key: "-----BEGIN PRIVATE KEY-----\\n${SECRET}" } }`],
    ['a JWT', 'issuers: { a: { audience: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.s3cretS3 } }'],
  ])('%s', (_, text) => {
    const excerpts = createExcerpts(text)
    const lines = text.split('\n')
    for (const [index, line] of lines.entries())
      for (let column = 1; column <= line.length + 1; column++) {
        const excerpt = excerpts({ line: index + 1, column }).line
        expect(excerpt).not.toMatch(/hunter2|s3cret|q83vEjRW/)
        if (/hunter2|s3cret|q83vEjRW/.test(line) && !line.includes('#'))
          expect(excerpt).toMatch(/\(hidden\)|…/)
      }
  })

  test.each([
    ['a role', 'databases: { a: { roleArn: arn:aws:iam::123456789012:role/service/OrdersDatabaseRole2 } }'],
    ['a resource id', 'databases: { a: { resourceId: db-ABCDEFGHIJKL2MNOPQR3STUVWX } }'],
    ['a KMS key', 'store: { encryption: { kmsKeyId: mrk-1234abcd12ab34cd56ef1234567890ab } }'],
    ['a path', 'store: { encryption: { keyFile: /etc/jeton/keys/Store_2026-01.key } }'],
    [
      'claims',
      'grants: [{ principal: { issuer: a, claims: { repository_id: 123456, ref: refs/heads/main } } }]',
    ],
    ['a misspelled key', 'databases: { a: { hots: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com } }'],
  ])('nothing of %s', (_, text) => {
    expect(createExcerpts(text)({ line: 1, column: 1 }).line).toBe(
      text.length > 120 ? `${text.slice(0, 120)}…` : text,
    )
  })
})
