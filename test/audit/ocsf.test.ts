import { describe, expect, test } from 'vitest'
import { LIFECYCLE_TYPES } from '../../src/audit/lifecycle-record.ts'
import { formatOcsf, ocsfEvent } from '../../src/audit/ocsf.ts'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import { renderRecord } from '../../src/audit/record.ts'
import { parseJsonObject } from '../../src/lib/json.ts'
import { ocsfProblems } from './ocsf-problems.ts'
import { parsed, record } from './support.ts'

const NOW = '2026-11-23T10:00:00.000Z'
const principal = { issuer: 'ci', subject: 'repo:a/b', claims: { ref: 'main' } }
const VENDED = record({
  requestId: 'q1',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  principal,
  grant: 'deploy',
  database: 'orders',
  user: 'migrator',
  identity: 'arn:aws-cn:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
  fingerprint: '9f86d081'.repeat(8),
  cached: false,
  issuedAt: '2026-11-23T09:58:00Z',
  expiresAt: '2026-11-23T10:13:00Z',
  sourceIp: '192.0.2.1',
  userAgent: 'curl/8.5.0',
  instance: 'host/1',
})
const REQUESTS = {
  vended: VENDED,
  listed: record({ decision: 'listed', principal, sourceIp: '2001:db8::1', instance: 'host/1' }),
  refused: record({
    decision: 'refused',
    code: 'access_denied',
    reason: 'deploy: claim ref is dev',
    principal,
    database: 'orders',
    user: 'app',
    sourceIp: '192.0.2.1',
  }),
  unauthenticated: record({ decision: 'refused', code: 'unauthenticated', userAgent: 'psql' }),
  failed: record({ decision: 'failed', code: 'role_refused', principal, database: 'orders', user: 'app' }),
  counting: record({
    decision: 'refused',
    code: 'unauthenticated',
    network: '2001:db8::/48',
    count: 7,
    since: '2026-11-23T09:59:00.000Z',
  }),
  bare: record({ decision: 'refused' }),
  cut: record({ userAgent: 'x'.repeat(1000), sourceIp: 'nowhere' }),
}

const event = (line: string) => {
  const text = formatOcsf(parseRecord(line) ?? expect.fail('it is not a record'))
  return parseJsonObject(text) ?? expect.fail('it is not JSON')
}
const lifecycle = (type: string, members: object = {}) =>
  JSON.stringify({ type, v: 1, id: 'l1', time: NOW, instance: 'host/1', jeton: '1.2.3', ...members })

describe('an event of OCSF', () => {
  test.each(Object.entries(REQUESTS))('of a request that was %s is what the schema demands', (_, each) => {
    expect(ocsfProblems(event(renderRecord(each)))).toEqual([])
    expect(event(renderRecord(each))).toMatchObject({
      class_uid: 6003,
      time: Date.parse(NOW),
      metadata: { uid: 'r1' },
    })
  })

  test.each(LIFECYCLE_TYPES)('of a lifecycle record %s is what the schema demands', type => {
    expect(ocsfProblems(event(lifecycle(type)))).toEqual([])
    expect(event(lifecycle(type))).toMatchObject({
      class_uid: 6002,
      time: Date.parse(NOW),
      app: { name: 'jeton', version: '1.2.3' },
    })
  })

  test('is held to the schema by a check that finds what is wrong', () => {
    const good = event(renderRecord(VENDED))
    const { actor, ...withoutActor } = good
    expect(ocsfProblems(withoutActor)).toEqual(['actor is missing'])
    expect(ocsfProblems({ ...good, severity_id: 9 })).toEqual(['severity_id has no 9'])
    expect(ocsfProblems({ ...good, status: 'Failure' })).toEqual(['status is Failure, not Success'])
    expect(ocsfProblems({ ...good, activity_id: 2 })).toContain('type_uid is 600301, not 600302')
    expect(ocsfProblems({ ...good, src_endpoint: {} })[0]).toMatch(/^src_endpoint\. has none of ip, /)
    expect(ocsfProblems({ ...good, src_endpoint: { ip: '1' } })).toEqual(['src_endpoint.ip is not a ip_t'])
    expect(ocsfProblems({ ...good, madeUp: 1 })).toEqual(['madeUp is not in the schema'])
    const metadata = { ...(good.metadata as object), profiles: ['security_control'] }
    expect(ocsfProblems({ ...good, metadata })).toEqual([
      'cloud needs the profile cloud',
      'trace needs the profile trace',
    ])
  })

  test('of a vend has every member of its record, by name or in unmapped', () => {
    expect(event(renderRecord(VENDED))).toEqual({
      category_uid: 6,
      category_name: 'Application Activity',
      class_uid: 6003,
      class_name: 'API Activity',
      activity_id: 1,
      activity_name: 'Create',
      type_uid: 600301,
      type_name: 'API Activity: Create',
      severity_id: 1,
      severity: 'Informational',
      status_id: 1,
      status: 'Success',
      time: Date.parse(NOW),
      message: 'vended: a token for orders/migrator to ci/repo:a/b',
      metadata: {
        version: '1.8.0',
        product: { name: 'jeton', vendor_name: 'jeton' },
        uid: 'r1',
        profiles: ['security_control', 'cloud', 'trace'],
        event_code: 'jeton.audit',
        log_name: 'audit',
        log_version: '1',
        original_time: NOW,
      },
      action_id: 1,
      disposition_id: 1,
      policy: { name: 'deploy', type: 'grant' },
      actor: { user: { name: 'repo:a/b', uid: 'ci/repo:a/b', domain: 'ci' }, idp: { name: 'ci' } },
      api: { operation: 'createToken', service: { name: 'jeton' }, request: { uid: 'q1' } },
      src_endpoint: { ip: '192.0.2.1' },
      dst_endpoint: { svc_name: 'jeton', uid: 'host/1' },
      http_request: { user_agent: 'curl/8.5.0', uid: 'q1' },
      resources: [
        { name: 'orders', type: 'database', role_id: 1 },
        { name: 'migrator', type: 'database user', namespace: 'orders', role_id: 1 },
        { uid: VENDED.identity, type: 'role session', role_id: 4 },
      ],
      cloud: { provider: 'AWS', cloud_partition: 'aws-cn', account: { uid: '123456789012' } },
      trace: { uid: '4bf92f3577b34da6a3ce929d0e0e4736' },
      unmapped: {
        fingerprint: '9f86d081'.repeat(8),
        cached: false,
        issuedAt: '2026-11-23T09:58:00Z',
        expiresAt: '2026-11-23T10:13:00Z',
        claims: { ref: 'main' },
      },
    })
  })

  test('says who was refused and why, and of a flood how often', () => {
    expect(event(renderRecord(REQUESTS.refused))).toMatchObject({
      status_id: 2,
      severity_id: 2,
      action_id: 2,
      disposition_id: 2,
      status_code: 'access_denied',
      status_detail: 'deploy: claim ref is dev',
      message: 'refused: a token for orders/app to ci/repo:a/b (access_denied)',
    })
    expect(event(renderRecord(REQUESTS.counting))).toMatchObject({
      activity_id: 0,
      count: 7,
      start_time: Date.parse('2026-11-23T09:59:00.000Z'),
      end_time: Date.parse(NOW),
      src_endpoint: { name: '2001:db8::/48' },
      unmapped: { network: '2001:db8::/48' },
      message: 'refused (unauthenticated), 7 times',
    })
    expect(event(renderRecord(REQUESTS.failed))).toMatchObject({ severity_id: 3, disposition_id: 27 })
    expect(event(renderRecord(REQUESTS.unauthenticated)).actor).toEqual({ app_name: 'psql' })
    expect(event(renderRecord(REQUESTS.cut))).toMatchObject({
      metadata: { is_truncated: true },
      unmapped: { cut: ['userAgent'] },
    })
  })

  test('keeps what a reload changed, and the links of a hash chain', () => {
    const changes = { sections: [], grants: { added: ['new'] } }
    const linked = { changes, prev: '0'.repeat(64), hash: 'a'.repeat(64) }
    expect(event(lifecycle('jeton.audit.reloaded', linked))).toMatchObject({
      activity_id: 99,
      activity_name: 'Reload',
      unmapped: { instance: 'host/1', ...linked },
    })
    expect(event(lifecycle('jeton.audit.reload_refused', { problems: 2 }))).toMatchObject({
      status_id: 2,
      unmapped: { problems: 2 },
    })
  })

  test('is of the schema even if a record was damaged or forged', () => {
    const odd = { type: 'jeton.audit', v: {}, id: 'x', time: NOW }
    for (const value of [
      null,
      7,
      true,
      '',
      [],
      {},
      [null],
      '\u001b[2J',
      'constructor',
      { issuer: 7, subject: null },
    ]) {
      const all = Object.fromEntries(Object.keys(VENDED).map(name => [name, value]))
      const forged = { ...all, principal: value, count: value, since: value, ...odd }
      expect(ocsfProblems(event(JSON.stringify(forged))), JSON.stringify(value)).toEqual([])
      for (const type of LIFECYCLE_TYPES)
        expect(ocsfProblems(event(JSON.stringify({ ...forged, type, jeton: value })))).toEqual([])
    }
  })

  test('is one line that controls no terminal', () => {
    const evil = record({ userAgent: 'x\u001b[2J\r\n\u202e\u009b', database: 'a\u2028b', user: 'c' })
    const text = formatOcsf(parsed(evil))
    expect(text).toMatch(/^[ -~]*$/)
    expect(JSON.parse(text).http_request.user_agent).toBe(evil.userAgent)
  })

  test('leaves the record as it was', () => {
    const before = parsed(VENDED)
    ocsfEvent(before)
    expect(before).toEqual(parsed(VENDED))
  })
})
