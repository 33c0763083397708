import { describe, expect, test } from 'vitest'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import { type AuditQuery, compileQuery } from '../../src/audit/query.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { parsed, record } from './support.ts'

describe('compileQuery', () => {
  const { time, ...others } = record({
    id: 'i1',
    requestId: 'q1',
    principal: { issuer: 'ci', subject: 'repo:a/b' },
    database: 'orders',
    user: 'migrator',
    code: 'x',
    grant: 'deploy',
    fingerprint: '9f86d081aa',
    sourceIp: '::1',
  })
  const timeMs = Date.parse(time)
  const candidate = parsed({ time, ...others })

  test.each<[AuditQuery, AuditQuery]>([
    [
      { principal: { issuer: 'ci', subject: 'repo:a/b' } },
      { principal: { issuer: 'ci', subject: 'repo:a' } },
    ],
    [{}, { principal: { issuer: 'other', subject: 'repo:a/b' } }],
    [{ database: 'orders' }, { database: 'order' }],
    [{ user: 'migrator' }, { user: 'app' }],
    [{ decision: 'vended' }, { decision: 'refused' }],
    [{ code: 'x' }, { code: 'y' }],
    [{ grant: 'deploy' }, { grant: 'dep' }],
    [{ fingerprint: '9f86' }, { fingerprint: '86d0' }],
    [{ sourceIp: '::1' }, { sourceIp: '::' }],
    [{ types: ['jeton.audit.stopped', 'jeton.audit'] }, { types: ['jeton.audit.started'] }],
    [{ id: 'i1' }, { id: 'i' }],
    [{ id: 'q1' }, { id: 'q' }],
    [{ from: timeMs }, { from: timeMs + 1 }],
    [{ to: timeMs + 1 }, { to: timeMs }],
    [
      { database: 'orders', user: 'migrator' },
      { database: 'orders', user: 'app' },
    ],
  ])('matches %j and does not match %j', (matching, other) => {
    expect(compileQuery(matching)(candidate)).toBe(true)
    expect(compileQuery(other)(candidate)).toBe(false)
  })

  test.each<[Partial<AuditRecord>, string[], string[]]>([
    [
      { network: '2001:db8:7::/48', count: 9 },
      ['2001:DB8:7:1::5', '2001:db8:7::/48', '2001:db8::/32'],
      ['2001:db8:8::5', '2001:db8:8::/48', '32.1.13.184'],
    ],
    [
      { network: '192.0.2.0/24', count: 9 },
      ['192.0.2.7', '::ffff:192.0.2.7', '192.0.0.0/16'],
      ['192.0.3.7', '192.0.3.0/24'],
    ],
    [
      { sourceIp: '192.0.2.7', network: '2001:db8::/32' },
      ['192.0.2.7', '192.0.2.0/24', '0.0.0.0/0'],
      ['192.0.2.8', '2001:db8::1'],
    ],
    [{ sourceIp: 'unknown' }, [], ['192.0.2.7', '::/0']],
  ])(
    'finds %j by an address or network that it overlaps, by %j, and not by %j',
    (fields, sources, others) => {
      const found = parsed(record(fields))
      for (const sourceIp of sources) expect(compileQuery({ sourceIp })(found), sourceIp).toBe(true)
      for (const sourceIp of others) expect(compileQuery({ sourceIp })(found), sourceIp).toBe(false)
    },
  )

  test('matches no member that the record lacks', () => {
    const bare = parsed(record())
    expect(compileQuery({})(bare)).toBe(true)
    for (const query of [
      { grant: 'undefined' },
      { fingerprint: 'u' },
      { principal: { issuer: '', subject: '' } },
    ])
      expect(compileQuery(query)(bare), JSON.stringify(query)).toBe(false)
  })

  test('matches a subject of any length, as it was sent and as the record has it', () => {
    const subject = 's'.repeat(5000)
    const long = parsed(record({ principal: { issuer: 'ci', subject } }))
    const recorded = long.record.principal?.subject ?? ''
    expect(recorded.length).toBeLessThan(600)
    for (const asked of [subject, recorded])
      expect(compileQuery({ principal: { issuer: 'ci', subject: asked } })(long)).toBe(true)
    expect(compileQuery({ principal: { issuer: 'ci', subject: 's'.repeat(500) } })(long)).toBe(false)
  })

  test('does not throw for members of another type in a broken record', () => {
    const odd = { type: 'jeton.audit', id: 'x', time, principal: null, fingerprint: 7 }
    const broken = parseRecord(JSON.stringify(odd)) ?? expect.fail('it is not a record')
    expect(compileQuery({ principal: { issuer: 'a', subject: 'b' } })(broken)).toBe(false)
    expect(compileQuery({ fingerprint: '8' })(broken)).toBe(false)
  })
})
