import { expect, test, vi } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { JetonError } from '../../src/errors.ts'
import { slotOwner } from '../../src/tokens/rate-limit/slot-owner.ts'
import type { Token } from '../../src/tokens/token.ts'
import type { TokenCache } from '../../src/tokens/token-cache.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import type { PrincipalAccess } from '../../src/vending/principal-access.ts'
import type { RequestAudit } from '../../src/vending/request-audit.ts'
import { createVendToken } from '../../src/vending/vend-token.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { ALICE, accessOf, recordFailure, startAudits, UNWRITABLE } from './support.ts'

const START = Date.parse('2026-11-23T10:00:00.700Z')
const MINUTE = 60_000

const TOKEN: Token = {
  text: 'orders.example:5432/?X-Amz-Signature=secret',
  fingerprint: 'f1',
  identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
  issuedAt: START,
  refreshAfter: START + 9 * MINUTE,
  expiresAt: START + 15 * MINUTE,
}

const REQUEST = { database: 'orders', user: 'migrator' }

/** The use case over a token cache that has one token, for a principal that may have it as migrator. */
function startVending({ token = TOKEN, cached = true, access = accessOf([{}]) } = {}) {
  const { clock, auditLog, records, beginAudit } = startAudits()
  const deliver = vi.fn<TokenDelivery['deliver']>(async () => {})
  const cancel = vi.fn()
  const get = vi.fn<TokenCache['get']>(async () => ({ token, cached, deliver, cancel }))
  return {
    ...{ clock, auditLog, records, deliver, cancel, get, access, token },
    vend: createVendToken({ get }),
    audit: beginAudit(),
  }
}

/** The error that a vend is refused with, and recorded with as the HTTP API does. */
async function failureOf(vend: Promise<unknown>, audit: RequestAudit): Promise<JetonError> {
  const failure = await vend.then(
    () => expect.fail('it was vended'),
    (cause: unknown) => cause,
  )
  expect(failure).toBeInstanceOf(JetonError)
  return recordFailure(audit, failure)
}

test('createVendToken returns the token, its key and the grant, and records them', async () => {
  const { vend, audit, access, records, get } = startVending({ cached: false })
  const vended = await vend({ access, audit, request: REQUEST })
  expect(vended).toMatchObject({ token: TOKEN, cached: false, grant: { name: 'ops' } })
  expect(vended.key).toBe(get.mock.calls[0]?.[0])
  expect(vended.key).toMatchObject({ database: ORDERS, user: 'migrator', sessionName: 'orders.migrator' })
  expect(records).toMatchObject([
    {
      id: audit.id,
      decision: 'vended',
      grant: 'ops',
      database: 'orders',
      user: 'migrator',
      identity: TOKEN.identity,
      fingerprint: 'f1',
      cached: false,
      issuedAt: '2026-11-23T10:00:00Z',
      expiresAt: '2026-11-23T10:15:00Z',
      refused: undefined,
    },
  ])
  expect(JSON.stringify(records)).not.toContain('secret')
})

test('createVendToken charges a new token and its slot to the grant and the principal', async () => {
  const { vend, audit, access, get, deliver } = startVending({ cached: false })
  await vend({ access, audit, request: REQUEST })
  const owner = slotOwner('ops', ALICE)
  expect(get.mock.calls[0]?.[1]).toMatchObject({ owner })
  expect(deliver).toHaveBeenCalledExactlyOnceWith(owner)
})

test('createVendToken delivers the token only when its record is written', async () => {
  const { vend, audit, access, clock, auditLog, records, deliver, cancel } = startVending()
  auditLog.delayMs = 1000
  const vended = vend({ access, audit, request: REQUEST })
  await clock.advance(999)
  expect(deliver).not.toHaveBeenCalled()
  await clock.advance(1)
  await vended
  expect(records).toMatchObject([{ decision: 'vended' }])
  expect(deliver).toHaveBeenCalledOnce()
  expect(cancel).not.toHaveBeenCalled()
})

test('createVendToken resolves only when the token is delivered', async () => {
  const { vend, audit, access, clock, deliver } = startVending()
  deliver.mockImplementation(() => clock.sleepUntil(clock.now() + 1000))
  let isVended = false
  const vended = vend({ access, audit, request: REQUEST }).then(() => {
    isVended = true
  })
  await clock.advance(999)
  expect(isVended).toBe(false)
  await clock.advance(1)
  await vended
})

test('createVendToken cancels the delivery if a sink fails: 503, and a record of it', async () => {
  const { vend, audit, access, auditLog, records, deliver, cancel } = startVending()
  auditLog.fault = UNWRITABLE
  const error = await failureOf(vend({ access, audit, request: REQUEST }), audit)
  expect({ code: error.code, status: error.status }).toEqual({ code: 'temporarily_unavailable', status: 503 })
  expect(cancel).toHaveBeenCalledOnce()
  expect(deliver).not.toHaveBeenCalled()
  expect(records).toMatchObject([{ decision: 'failed', code: 'temporarily_unavailable', fingerprint: 'f1' }])
})

test('a vend that is recorded and then cannot be delivered has two records with two ids', async () => {
  const { vend, audit, access, records, deliver, cancel } = startVending()
  deliver.mockRejectedValue(new JetonError('throttled', { publicMessage: 'later', retryAfterMs: 1000 }))
  const error = await failureOf(vend({ access, audit, request: REQUEST }), audit)
  expect(error.code).toBe('throttled')
  expect(cancel).not.toHaveBeenCalled()
  expect(records).toMatchObject([
    { id: audit.id, decision: 'vended', fingerprint: 'f1' },
    { decision: 'refused', code: 'throttled', fingerprint: 'f1' },
  ])
  expect(records[1]?.id).not.toBe(audit.id)
})

test('createVendToken records the user that it found if the request names none', async () => {
  const { vend, audit, access, records } = startVending()
  const { key } = await vend({ access, audit, request: { database: 'orders' } })
  expect(key.user).toBe('migrator')
  expect(records).toMatchObject([{ user: 'migrator' }])
})

test('createVendToken demands a user if several are granted, and names them', async () => {
  const access = accessOf([{ users: ['app_ro', 'migrator'] }])
  const { vend, audit, records, get } = startVending({ access })
  const error = await failureOf(vend({ access, audit, request: { database: 'orders' } }), audit)
  expect(error.code).toBe('invalid_request')
  expect(error.publicMessage).toContain('app_ro, migrator')
  expect(get).not.toHaveBeenCalled()
  expect(records).toMatchObject([{ decision: 'refused', code: 'invalid_request', database: 'orders' }])
})

test('createVendToken refuses an unknown database as one that is not granted; only the record has a reason', async () => {
  const billing = { ...ORDERS, name: 'billing' }
  const access = accessOf(
    [{}, { name: 'theirs', database: 'billing', principal: { issuer: 'ci', subject: 'bob' } }],
    { databases: [ORDERS, billing] },
  )
  const errors: JetonError[] = []
  for (const database of ['billing', 'none']) {
    const { vend, audit, records, get } = startVending({ access })
    const error = await failureOf(vend({ access, audit, request: { database, user: 'migrator' } }), audit)
    expect(get).not.toHaveBeenCalled()
    expect(records).toMatchObject([
      {
        decision: 'refused',
        code: 'access_denied',
        database,
        reason: expect.stringContaining('nearest grant'),
      },
    ])
    errors.push(error)
  }
  const [ungranted, unknown] = errors.map(({ code, publicMessage }) => ({ code, publicMessage }))
  expect(ungranted).toEqual(unknown)
  expect(ungranted?.code).toBe('access_denied')
  expect(ungranted?.publicMessage).not.toMatch(/billing|none|theirs|ops/)
})

test('createVendToken does not find out why it refuses: whoever reads the reason does, by the rules that refused', async () => {
  const access = accessOf([{ principal: { issuer: 'ci', subject: 'bob' } }])
  const reason = vi.fn(access.reason)
  const { vend, audit } = startVending()
  const error = await vend({ access: { ...access, reason }, audit, request: REQUEST }).catch(cause => cause)
  expect(error).toMatchObject({ code: 'access_denied' })
  expect(reason).not.toHaveBeenCalled()
  expect(error.reason).toBe('nearest grant ops: subject is "alice", wanted bob')
  expect(error.reason).toBe('nearest grant ops: subject is "alice", wanted bob')
  expect(reason).toHaveBeenCalledExactlyOnceWith(REQUEST)
})

test('rejectedFingerprint goes into the record as refused, and to the token cache', async () => {
  const { vend, audit, access, records, get } = startVending()
  const { key } = await vend({ access, audit, request: REQUEST, rejectedFingerprint: 'f0' })
  const owner = slotOwner('ops', ALICE)
  expect(get).toHaveBeenCalledExactlyOnceWith(key, { rejectedFingerprint: 'f0', owner })
  expect(records).toMatchObject([{ decision: 'vended', refused: 'f0', fingerprint: 'f1' }])
})

test('rejectedFingerprint is in the record of a refusal too', async () => {
  const access = accessOf([])
  const { vend, audit, records } = startVending({ access })
  await failureOf(vend({ access, audit, request: REQUEST, rejectedFingerprint: 'f0' }), audit)
  expect(records).toMatchObject([{ decision: 'refused', code: 'access_denied', refused: 'f0' }])
})

test('createVendToken passes on what the token cache throws, and records no vend', async () => {
  const { vend, audit, access, records, get } = startVending()
  get.mockRejectedValue(new JetonError('role_refused', { publicMessage: 'the role', reason: 'AccessDenied' }))
  const error = await failureOf(vend({ access, audit, request: REQUEST }), audit)
  expect(error.code).toBe('role_refused')
  expect(records).toMatchObject([
    { decision: 'failed', code: 'role_refused', reason: 'AccessDenied', grant: 'ops', user: 'migrator' },
  ])
})

test('the facts of a token are its identity, its fingerprint and its times', async () => {
  const { vend, access } = startVending()
  expect(await factsFor(vend, access)).toEqual({
    identity: TOKEN.identity,
    fingerprint: 'f1',
    issuedAt: '2026-11-23T10:00:00Z',
    expiresAt: '2026-11-23T10:15:00Z',
    cached: true,
  })
})

test('the facts of a token say that the request that minted it got it uncached, and nobody else', async () => {
  const { vend, access, get, deliver, cancel } = startVending()
  get.mockResolvedValueOnce({ token: TOKEN, cached: false, deliver, cancel })
  expect(await factsFor(vend, access)).toMatchObject({ cached: false })
  expect(await factsFor(vend, access)).toMatchObject({ cached: true })
})

/** What a vend adds to its record about the token. */
async function factsFor(
  vend: ReturnType<typeof createVendToken>,
  access: ReturnType<typeof accessOf>,
): Promise<Partial<AuditRecord> | undefined> {
  const added: Partial<AuditRecord>[] = []
  const audit: RequestAudit = {
    id: 'a1',
    add: fields => void added.push(fields),
    identify() {},
    recordListing() {},
    recordVend: async () => {},
    recordRepeat: () => expect.fail('it is no repeat vend'),
    admitFailure: cause => expect.fail(String(cause)),
  }
  await vend({ access, audit, request: REQUEST })
  return added.find(fields => 'fingerprint' in fields)
}

/** A renewal that is due as soon as the test says that the policy was replaced by one with this access, or by an error. */
function startRenewal() {
  let next: (() => PrincipalAccess) | undefined
  return {
    replaceBy(access: () => PrincipalAccess) {
      next = access
    },
    isDue: () => next !== undefined,
    async renew() {
      const renewed = next?.()
      next = undefined
      return { access: renewed ?? expect.fail('no renewal was due') }
    },
  }
}

test('a grant that a reload took away while the token was minted is not vended: 403, and a record of it', async () => {
  const { vend, audit, access, records, get, deliver, cancel, token } = startVending()
  const renewal = startRenewal()
  get.mockImplementation(async () => {
    renewal.replaceBy(() => accessOf([]))
    return { token, cached: false, deliver, cancel }
  })
  const error = await failureOf(vend({ access, renewal, audit, request: REQUEST }), audit)
  expect(error.code).toBe('access_denied')
  expect(cancel).toHaveBeenCalledOnce()
  expect(deliver).not.toHaveBeenCalled()
  expect(records).toMatchObject([
    { decision: 'refused', code: 'access_denied', grant: undefined, fingerprint: undefined },
  ])
})

test('a credential that a reload took away while the token was minted is not vended: 401, and a record of it', async () => {
  const { vend, audit, access, records, get, deliver, cancel, token } = startVending()
  const renewal = startRenewal()
  get.mockImplementation(async () => {
    renewal.replaceBy(() => {
      throw new JetonError('unauthenticated', { publicMessage: 'the API key is not known' })
    })
    return { token, cached: false, deliver, cancel }
  })
  const error = await failureOf(vend({ access, renewal, audit, request: REQUEST }), audit)
  expect(error.code).toBe('unauthenticated')
  expect([cancel.mock.calls.length, deliver.mock.calls.length]).toEqual([1, 0])
  expect(records).toMatchObject([{ decision: 'refused', code: 'unauthenticated' }])
})

test('a token of the same key is vended after a reload by the grant that now allows it', async () => {
  const { vend, audit, access, records, get, deliver, cancel, token } = startVending()
  const renewal = startRenewal()
  get.mockImplementationOnce(async () => {
    renewal.replaceBy(() => accessOf([{ name: 'renamed' }]))
    return { token, cached: true, deliver, cancel }
  })
  expect(await vend({ access, renewal, audit, request: REQUEST })).toMatchObject({
    grant: { name: 'renamed' },
  })
  expect(get).toHaveBeenCalledOnce()
  expect(cancel).not.toHaveBeenCalled()
  expect(records).toMatchObject([{ decision: 'vended', grant: 'renamed' }])
})

test('a reload that leads a grant to another role gets the token of that role', async () => {
  const { vend, audit, access, records, get, deliver, cancel, token } = startVending()
  const renewal = startRenewal()
  const moved = { ...ORDERS, roleArn: 'arn:aws:iam::123456789012:role/other' }
  get.mockImplementationOnce(async () => {
    renewal.replaceBy(() => accessOf([{}], { databases: [moved] }))
    return { token, cached: true, deliver, cancel }
  })
  const { key } = await vend({ access, renewal, audit, request: REQUEST })
  expect(key.database).toBe(moved)
  expect(get.mock.calls.map(([{ database }]) => database)).toEqual([ORDERS, moved])
  expect(cancel).toHaveBeenCalledOnce()
  expect(records).toMatchObject([{ decision: 'vended' }])
})

test('a grant that a reload took away while the record was written is not vended, and a second record says so', async () => {
  const { vend, audit, access, clock, auditLog, records } = startVending()
  const renewal = startRenewal()
  auditLog.delayMs = 1000
  const failure = failureOf(vend({ access, renewal, audit, request: REQUEST }), audit)
  await clock.advance(500)
  renewal.replaceBy(() => accessOf([]))
  await clock.advance(500)
  expect((await failure).code).toBe('access_denied')
  expect(records).toMatchObject([
    { decision: 'vended', fingerprint: 'f1' },
    { decision: 'refused', code: 'access_denied', fingerprint: 'f1' },
  ])
})

test.each([
  {
    change: 'grants another user instead',
    code: 'access_denied',
    grants: [{ users: ['app_rw'] }],
    databases: [ORDERS],
  },
  {
    change: 'leads to another role',
    code: 'temporarily_unavailable',
    grants: [{}],
    databases: [{ ...ORDERS, roleArn: 'arn:aws:iam::123456789012:role/other' }],
  },
])(
  'a reload that $change while the record was written: the token does not leave ($code)',
  async ({ code, grants, databases }) => {
    const { vend, audit, access, clock, auditLog, records } = startVending()
    const renewal = startRenewal()
    auditLog.delayMs = 1000
    const request = { database: REQUEST.database }
    const failure = failureOf(vend({ access, renewal, audit, request }), audit)
    await clock.advance(500)
    renewal.replaceBy(() => accessOf(grants, { databases }))
    await clock.advance(500)
    expect((await failure).code).toBe(code)
    expect(records).toMatchObject([
      { decision: 'vended', fingerprint: 'f1' },
      { code, fingerprint: 'f1' },
    ])
  },
)

const ENDS = { notAfter: '2026-11-23T10:00:05Z' }

/** The use case for a grant that ends after five seconds of the test's clock. */
function startEnding(grants: readonly Partial<GrantSpec>[] = [ENDS]) {
  let now = () => 0
  const vending = startVending({ access: accessOf(grants, { now: () => now() }) })
  now = vending.clock.now
  return vending
}

test('a grant that ends while the token is minted, or while it waits for a slot, is not vended: 403 and a record', async () => {
  const { vend, audit, access, clock, records, get, deliver, cancel, token } = startEnding()
  get.mockImplementation(async () => {
    await clock.sleep(5001)
    return { token, cached: false, deliver, cancel }
  })
  const failure = failureOf(vend({ access, audit, request: REQUEST }), audit)
  await clock.advance(5001)
  expect((await failure).code).toBe('access_denied')
  expect([cancel.mock.calls.length, deliver.mock.calls.length]).toEqual([1, 0])
  expect(records).toMatchObject([
    {
      decision: 'refused',
      code: 'access_denied',
      reason: 'nearest grant ops: ended at 2026-11-23T10:00:05Z',
      grant: undefined,
      fingerprint: undefined,
    },
  ])
})

test.each(['record', 'slot'] as const)(
  'a grant that ends while a %s is waited for: the token does not leave, and a second record says so',
  async waitsFor => {
    const { vend, audit, access, clock, auditLog, records, deliver } = startEnding()
    if (waitsFor === 'record') auditLog.delayMs = 5001
    else deliver.mockImplementation(() => clock.sleep(5001))
    const failure = failureOf(vend({ access, audit, request: REQUEST }), audit)
    await clock.advance(5001)
    expect((await failure).code).toBe('access_denied')
    expect(records).toMatchObject([
      { decision: 'vended', grant: 'ops' },
      { decision: 'refused', code: 'access_denied', reason: expect.stringContaining('ended at') },
    ])
  },
)

test('a token that leaves in the last moment of its grant leaves', async () => {
  const { vend, audit, access, clock, auditLog } = startEnding()
  auditLog.delayMs = 5000
  const vended = vend({ access, audit, request: REQUEST })
  await clock.advance(5000)
  expect(await vended).toMatchObject({ grant: { name: 'ops' } })
})

test('a replacement for a refused token needs a grant in force, like any other', async () => {
  const { vend, audit, access, clock, get } = startEnding()
  await clock.advance(5001)
  const rejectedFingerprint = 'f'.repeat(64)
  const error = await failureOf(vend({ access, audit, request: REQUEST, rejectedFingerprint }), audit)
  expect(error.code).toBe('access_denied')
  expect(get).not.toHaveBeenCalled()
})

test('a request that waits from one grant into the next is vended by the next, with a token of that one’s session', async () => {
  const next: Partial<GrantSpec> = { name: 'next', session: 'per-principal' }
  const { vend, audit, access, clock, records, get, deliver, cancel, token } = startEnding([ENDS, next])
  get.mockImplementationOnce(async () => {
    await clock.sleep(5001)
    return { token, cached: false, deliver, cancel }
  })
  const vended = vend({ access, audit, request: REQUEST })
  await clock.advance(5001)
  expect(await vended).toMatchObject({ grant: { name: 'next' } })
  expect(get.mock.calls.map(([{ sessionName }]) => sessionName)).toEqual([
    'orders.migrator',
    expect.stringMatching(/^alice=/),
  ])
  expect(cancel).toHaveBeenCalledOnce()
  expect(records).toMatchObject([{ decision: 'vended', grant: 'next' }])
})
