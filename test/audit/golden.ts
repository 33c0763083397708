import type { AuditRecord } from '../../src/audit/record.ts'

// Bytes that lie in files and tables of running fleets, as jeton wrote them before the names in its code changed. They
// are literals, not made by the renderer: a change that breaks them breaks old logs.

const VENDED: AuditRecord = {
  id: '0b9c7f52-6a1d-4e0f-9d3b-2f4a1c5e8d70',
  time: '2026-11-23T10:00:00.000Z',
  requestId: 'req-1',
  decision: 'vended',
  principal: {
    issuer: 'github',
    subject: 'repo:acme/orders:ref:refs/heads/main',
    claims: { ref: 'refs/heads/main', repository_id: 123456, teams: ['a', 'ü'] },
  },
  grant: 'orders-deploy',
  database: 'orders',
  user: 'migrator',
  identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
  fingerprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  cached: true,
  issuedAt: '2026-11-23T09:58:00Z',
  expiresAt: '2026-11-23T10:13:00Z',
  sourceIp: '192.0.2.1',
  userAgent: 'curl/8.5.0',
  instance: 'host-1',
}

const REFUSED: AuditRecord = {
  id: 'r2',
  time: '2026-11-23T10:00:01.000Z',
  decision: 'refused',
  code: 'access_denied',
  reason: 'nearest grant orders-deploy: claim ref is refs/heads/x',
  refused: 'abababababababababababababababababababababababababababababababab',
  sourceIp: '2001:db8::1',
}

const VENDED_LINE =
  '{"type":"jeton.audit","v":1,"id":"0b9c7f52-6a1d-4e0f-9d3b-2f4a1c5e8d70","time":"2026-11-23T10:00:00.000Z","requestId":"req-1","decision":"vended","principal":{"issuer":"github","subject":"repo:acme/orders:ref:refs/heads/main","claims":{"ref":"refs/heads/main","repository_id":123456,"teams":["a","ü"]}},"grant":"orders-deploy","database":"orders","user":"migrator","identity":"arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator","fingerprint":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","cached":true,"issuedAt":"2026-11-23T09:58:00Z","expiresAt":"2026-11-23T10:13:00Z","sourceIp":"192.0.2.1","userAgent":"curl/8.5.0","instance":"host-1"}'

const REFUSED_LINE =
  '{"type":"jeton.audit","v":1,"id":"r2","time":"2026-11-23T10:00:01.000Z","decision":"refused","code":"access_denied","reason":"nearest grant orders-deploy: claim ref is refs/heads/x","refused":"abababababababababababababababababababababababababababababababab","sourceIp":"2001:db8::1"}'

export const GOLDEN = {
  vended: VENDED,
  refused: REFUSED,
  vendedLine: VENDED_LINE,
  refusedLine: REFUSED_LINE,

  /** The two lines as the beginning of a file. */
  vendedHash: '1f5aa5fe1ff4e8bff341c926fe54d4c3b761e559d42baa7e780ccfdc5b1828fc',
  refusedHash: 'b0f6ac8057b8d9f815de7bd74eac90482e0a4873a2abe4a3204b6c0487a11008',
  vendedChained: `${VENDED_LINE.slice(0, -1)},"prev":"0000000000000000000000000000000000000000000000000000000000000000","hash":"1f5aa5fe1ff4e8bff341c926fe54d4c3b761e559d42baa7e780ccfdc5b1828fc"}`,
  refusedChained: `${REFUSED_LINE.slice(0, -1)},"prev":"1f5aa5fe1ff4e8bff341c926fe54d4c3b761e559d42baa7e780ccfdc5b1828fc","hash":"b0f6ac8057b8d9f815de7bd74eac90482e0a4873a2abe4a3204b6c0487a11008"}`,
  /** What a crash left of a line, and the record that acknowledges it. */
  tornText: '{"type":"jeton.audit","v":1,"id":"0b9c7f',
  torn: { bytes: 40, sha256: '75bc53e4d4ce082465d3a4e45e8d22d2b6d44db4b0f40d9f71663e990ed1adc5' },
  recoveredTime: '2026-11-23T10:00:02.000Z',
  recoveredLine:
    '{"type":"jeton.audit.recovered","v":1,"time":"2026-11-23T10:00:02.000Z","bytes":40,"sha256":"75bc53e4d4ce082465d3a4e45e8d22d2b6d44db4b0f40d9f71663e990ed1adc5"}',
  recoveredHash: '71b5bd5f17d942b5a629c642d908ebfc8e568d905e5763a0ca60d0718d53fb6f',
  recoveredChained:
    '{"type":"jeton.audit.recovered","v":1,"time":"2026-11-23T10:00:02.000Z","bytes":40,"sha256":"75bc53e4d4ce082465d3a4e45e8d22d2b6d44db4b0f40d9f71663e990ed1adc5","prev":"b0f6ac8057b8d9f815de7bd74eac90482e0a4873a2abe4a3204b6c0487a11008","hash":"71b5bd5f17d942b5a629c642d908ebfc8e568d905e5763a0ca60d0718d53fb6f"}',

  /** The item of the vended line with 30 days of retention. */
  vendedItem: {
    pk: { S: '2026-11-23#4' },
    sk: { S: '2026-11-23T10:00:00.000Z#0b9c7f52-6a1d-4e0f-9d3b-2f4a1c5e8d70' },
    v: { N: '1' },
    record: { S: VENDED_LINE },
    principal: { S: 'github/repo:acme/orders:ref:refs/heads/main' },
    ttl: { N: '1798020000' },
  },
  /** The item of the line `no JSON`, written at 2026-11-23T10:00:03.004Z. */
  noRecordItem: {
    pk: { S: '2026-11-23#8' },
    sk: { S: '2026-11-23T10:00:03.004Z#29ecbeb830e3244605e5a88493e4088424a71780e5cf59bb3475f278f294335b' },
    v: { N: '1' },
    record: { S: 'no JSON' },
  },

  /** Without their random ids: the record that counts a flood, and the one that counts refusals without room. */
  floodLine:
    '{"type":"jeton.audit","v":1,"id":"ID","time":"2026-11-23T10:00:02.000Z","decision":"refused","code":"unauthenticated","reason":"a flood from one source: counted, not written one by one","sourceIp":"192.0.2.7","instance":"host-1","count":3,"since":"2026-11-23T10:00:00.000Z"}',
  lostLine:
    '{"type":"jeton.audit","v":1,"id":"ID","time":"2026-11-23T10:00:02.000Z","decision":"refused","code":"not_recorded","reason":"more than could be written","instance":"host-1","count":2,"since":"2026-11-23T10:00:01.000Z"}',
} as const
