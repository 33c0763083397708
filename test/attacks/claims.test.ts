import { describe, expect, test } from 'vitest'
import { accessDenied, invalidRequest, refused, vended } from './outcomes.ts'
import { startTarget } from './target.ts'

/** A signed JWT, whose claims an attacker has had written so that a grant of somebody else may match. */
const grantFor = (claims: object) => ({
  grants: [
    { name: 'wanted', principal: { issuer: 'pinned', claims }, database: 'orders', users: ['migrator'] },
  ],
})

/** Returns what comes of these claims beside a grant that wants `wanted`. */
async function outcomeOf(wanted: object, claims: object | string) {
  const { signer, attack } = await startTarget({ config: grantFor(wanted) })
  const whole =
    typeof claims === 'string' ? claims.replace('}#', `,${JSON.stringify(signer.claims()).slice(1)}`) : claims
  return attack({ jwt: signer.jwt({ claims: whole }) })
}

describe('a claim that looks like the wanted one', () => {
  test.each([
    ['with a longer name behind it', { team: 'payments' }, { team: 'payments-evil' }],
    ['with a name before it', { team: 'payments' }, { team: 'evil/payments' }],
    ['in capitals', { team: 'payments' }, { team: 'Payments' }],
    ['with a space', { team: 'payments' }, { team: 'payments ' }],
    ['with a line break behind it', { team: 'payments' }, { team: 'payments\n' }],
    ['with a line break and more behind it', { ref: 'release/*' }, { ref: 'release/1\nmain/x' }],
    ['with letters of another alphabet', { team: 'payments' }, { team: 'рayments' }],
    ['decomposed', { team: 'café' }, { team: 'cafe\u0301' }],
    ['with a zero-width space', { team: 'payments' }, { team: 'pay\u200bments' }],
    ['with a null byte behind it', { team: 'payments' }, { team: 'payments\u0000' }],
    ['with a wildcard of its own', { team: 'payments' }, { team: '*' }],
    ['that crosses a slash', { ref: 'release/*' }, { ref: 'release/a/b' }],
    ['that begins before an anchored pattern', { ref: '*/main' }, { ref: 'a/b/main' }],
    ['as an object that prints like it', { team: 'payments' }, { team: { toString: 'payments' } }],
    ['as an object with the value as a key', { team: 'payments' }, { team: { payments: true } }],
    ['in a list in a list', { team: 'payments' }, { team: [['payments']] }],
    ['empty', { team: 'payments' }, { team: '' }],
    ['null', { team: '**', ref: 'main' }, { team: null }],
    ['missing, for a wildcard', { team: '**', ref: 'main' }, { team: undefined }],
    ['as the empty list', { team: '**', ref: 'main' }, { team: [] }],
    ['under a name with a dot instead of nested', { org: { id: 7 } }, { 'org.id': 7 }],
    ['nested instead of under a name with a dot', { 'org.id': 7 }, { org: { id: 7 } }],
    ['in text instead of nested', { org: { id: 7 } }, { org: '{"id":7}' }],
    [
      'of a list, where one element has the one half and another the other',
      { job: { name: 'a', ref: 'b' } },
      {
        job: [
          { name: 'a', ref: 'x' },
          { name: 'y', ref: 'b' },
        ],
      },
    ],
    ['as a number that JSON rounds', { id: '9007199254740992' }, { id: 2 ** 53 }],
    ['as a float', { id: 12 }, { id: 12.000001 }],
    ['in another notation', { id: '12' }, { id: '12.0' }],
    ['in hex', { id: 12 }, { id: '0xc' }],
    ['with a plus', { id: 12 }, { id: '+12' }],
    ['true as 1', { approved: true }, { approved: 1 }],
    ['true in capitals', { approved: true }, { approved: 'TRUE' }],
  ])('%s', async (_name, wanted, claims) => {
    expect(await outcomeOf(wanted, claims)).toMatchObject(accessDenied())
  })
})

describe('a name that every JavaScript object has', () => {
  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    '%s is not there unless it was sent',
    async name => {
      expect(await outcomeOf({ [name]: '**', ref: 'main' }, {})).toMatchObject(accessDenied())
    },
  )

  test('a prototype with the wanted claim, by __proto__', async () => {
    expect(await outcomeOf({ admin: 'yes' }, '{"__proto__":{"admin":"yes"}}#')).toMatchObject(accessDenied())
  })
})

describe('claims that cost time or stack', () => {
  test.each([300, 4000, 11_000])('nested %i lists deep', async depth => {
    const nested = `{"team":"x","deep":${'['.repeat(depth)}${']'.repeat(depth)}}#`
    await expectNoFailure(await outcomeOf({ team: 'payments', deep: '**' }, nested))
  })

  test.each([300, 1500, 3500])('nested %i objects deep', async depth => {
    const nested = `{"team":"x","deep":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}#`
    await expectNoFailure(await outcomeOf({ deep: { a: { a: 1 } } }, nested))
  })

  test('of 12 KB, beside wildcards that could match at any place of it', async () => {
    const claims = { ref: `${'ab/'.repeat(4000)}!` }
    expect(await outcomeOf({ ref: ['**a*b**/x', '**/**/**/**/y', '*a*b*/**z'] }, claims)).toMatchObject(
      accessDenied(),
    )
  })

  test('a list of thousands, whose last element is the wanted one', async () => {
    const teams = Array.from({ length: 2000 }, (_, i) => i)
    const { status } = await outcomeOf({ team: 'payments' }, { team: [...teams, 'payments'] })
    expect([200, 401, 403]).toContain(status)
  })

  function expectNoFailure({ status, record }: Awaited<ReturnType<typeof outcomeOf>>): void {
    expect([401, 403]).toContain(status)
    expect(record).toMatchObject({ decision: 'refused' })
  }
})

describe('a request for more than is granted', () => {
  const grants = grantFor({ team: 'payments' })
  const ask = async (body: object | string) => {
    const { signer, attack } = await startTarget({ config: grants })
    return attack({ jwt: signer.jwt(), body })
  }

  test.each([
    ["another user's token", { database: 'orders', user: 'app_rw' }],
    ['a user in capitals', { database: 'orders', user: 'MIGRATOR' }],
    ['a user with a space', { database: 'orders', user: 'migrator ' }],
    ['a database that is not granted', { database: 'ledger', user: 'app_rw' }],
    ['a database that does not exist', { database: 'payroll' }],
    ['a name that every object has', { database: 'constructor' }],
    ['the prototype', { database: '__proto__' }],
    ['a wildcard', { database: 'orders', user: '*' }],
    ['a path', { database: '../orders' }],
  ])('%s', async (_name, body) => {
    expect(await ask(body)).toMatchObject(accessDenied())
  })

  test('an ungranted database and an unknown one cannot be told apart', async () => {
    const [ungranted, unknown] = [await ask({ database: 'ledger' }), await ask({ database: 'payroll' })]
    const { requestId: _one, auditId: _a, ...first } = ungranted.body
    const { requestId: _other, auditId: _b, ...second } = unknown.body
    expect(first).toEqual(second)
  })

  test.each([
    ['a list of databases', { database: ['orders', 'ledger'] }],
    ['a number', { database: 1 }],
    ['nothing', {}],
    ['a member that nobody knows', { database: 'orders', admin: true }],
    ['a role of its own', { database: 'orders', roleArn: 'arn:aws:iam::123456789012:role/admin' }],
    ['a member twice', '{"database":"ledger","database":"orders"}'],
    ['a member twice, once escaped', '{"database":"orders","user":"migrator","us\\u0065r":"app_rw"}'],
    ['a prototype', '{"database":"orders","__proto__":{"user":"app_rw"}}'],
    ['a fingerprint that is none', { database: 'orders', refused: '*'.repeat(64) }],
    ['a list', '[{"database":"orders"}]'],
    ['no JSON', 'database=orders'],
    ['JSON behind a byte that is none', '\u0000{"database":"orders"}'],
  ])('%s', async (_name, body) => {
    expect(await ask(body)).toMatchObject(
      invalidRequest({ principal: expect.objectContaining({ subject: 'job-1' }) }),
    )
  })

  test('a body of 17 KB', async () => {
    const body = { database: 'orders', user: 'x'.repeat(17_000) }
    expect(await ask(body)).toMatchObject(refused(413, 'payload_too_large'))
  })

  test("somebody else's fingerprint as refused costs nobody a token", async () => {
    const { signer, attack } = await startTarget({ config: grants })
    const first = await attack({ jwt: signer.jwt() })
    const again = await attack({ jwt: signer.jwt(), body: { database: 'orders', refused: 'f'.repeat(64) } })
    expect(again).toMatchObject(vended({ fingerprint: first.body.fingerprint }))
  })
})
