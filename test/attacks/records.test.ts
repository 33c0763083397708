import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { runCli } from '../support/service/jeton.ts'
import { vended } from './outcomes.ts'
import { startTarget, type Target } from './target.ts'

/** Who hides in noise, or writes what others will read. */
type Counted = AuditRecord & { count?: number }

const countOf = (records: readonly AuditRecord[], matches: (record: AuditRecord) => boolean) =>
  (records as readonly Counted[]).filter(matches).reduce((sum, { count = 1 }) => sum + count, 0)
const isOf = (subject: string) => (record: AuditRecord) => record.principal?.subject === subject

async function makeNoise({ attack }: Target, requests: number): Promise<void> {
  for (let i = 0; i < requests; i++) await attack({ authorization: `ApiKey guess-${i}` })
}

describe('noise from the address of a thief', () => {
  const STOLEN = { sub: 'stolen-1' }

  test('does not hide what it tries with a stolen JWT', async () => {
    const target = await startTarget()
    await makeNoise(target, 115)
    const jwt = target.signer.jwt({ claims: STOLEN })
    for (let i = 0; i < 7; i++) await target.attack({ jwt, body: { database: `guess-${i}` } })
    expect(countOf(await target.stop(), isOf('stolen-1'))).toBe(7)
  })

  test('does not hide the databases that it asked for with a stolen JWT', async () => {
    const target = await startTarget()
    await makeNoise(target, 115)
    const jwt = target.signer.jwt({ claims: STOLEN })
    await target.attack({ method: 'GET', path: '/v1/databases', jwt })
    expect(countOf(await target.stop(), isOf('stolen-1'))).toBe(1)
  })

  test('of the thief itself is counted under its name', async () => {
    const target = await startTarget()
    const jwt = target.signer.jwt({ claims: STOLEN })
    for (let i = 0; i < 130; i++) await target.attack({ jwt, body: { database: `guess-${i}` } })
    expect(countOf(await target.stop(), isOf('stolen-1'))).toBe(130)
  })

  test('under one name does not hide another name', async () => {
    const target = await startTarget()
    const noisy = target.signer.jwt({ claims: { sub: 'noisy' } })
    for (let i = 0; i < 115; i++) await target.attack({ jwt: noisy, body: { database: `guess-${i}` } })
    const jwt = target.signer.jwt({ claims: STOLEN })
    for (let i = 0; i < 4; i++) await target.attack({ jwt, body: { database: 'ledger' } })
    expect(countOf(await target.stop(), isOf('stolen-1'))).toBe(4)
  })

  test('never hides a token that was vended', async () => {
    const target = await startTarget()
    await makeNoise(target, 115)
    const outcome = await target.attack({ authorization: `ApiKey ${target.apiKey}` })
    expect(outcome).toMatchObject(vended({ grant: 'report' }))
  })
})

test('who looks for databases is on record', async () => {
  const { signer, attack } = await startTarget()
  const outcome = await attack({ method: 'GET', path: '/v1/databases', jwt: signer.jwt() })
  expect(outcome).toMatchObject({
    status: 200,
    record: { principal: { issuer: 'pinned', subject: 'job-1' } },
  })
})

/** All that a terminal obeys, or that changes what is seen: C0, DEL, C1, separators, and marks of direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

describe('characters that forge what is read', () => {
  const TEXTS = [
    ['a control sequence of C1', 'a\u009b2Jb'],
    ['a control sequence of C0', 'a\u001b[2Jb'],
    ['an operating system command', 'a\u009d0;title\u009cb'],
    ['next line', 'a\u0085b'],
    ['a line separator', 'a\u2028{"type":"jeton.audit"}'],
    ['a paragraph separator', 'a\u2029b'],
    ['a change of direction', 'a\u202eexe.gnp'],
    ['isolates', 'a\u2066b\u2069c'],
    ['an Arabic mark', 'a\u061cb'],
    ['DEL', 'a\u007fb'],
    ['half of a pair', 'a\ud83db'],
  ] as const

  test('stand raw in no record, and in no table that `jeton audit query` prints', async () => {
    const config = { audit: [{ type: 'stdout' }, { type: 'file', path: 'audit.jsonl' }] }
    const target = await startTarget({ config })
    const { attack, signer } = target
    for (const [, hostile] of TEXTS) {
      const claims = { sub: hostile, team: hostile, ref: hostile }
      // a header has the bytes of UTF-8, as far as a header may have them
      const agent = Buffer.from(Buffer.from(hostile).filter(byte => byte >= 0x20 && byte !== 0x7f)).toString(
        'latin1',
      )
      await attack({ jwt: signer.jwt({ claims }), headers: [['User-Agent', agent]] })
      await attack({ jwt: signer.jwt({ claims }), body: { database: hostile, user: hostile } })
      await attack({ jwt: signer.jwt({ claims: { ...claims, iss: `https://${hostile}` } }) })
    }
    const records = await target.stop()
    expect(records).toHaveLength(3 * TEXTS.length)

    const file = join(target.environment.folder, 'audit.jsonl')
    const { stdout } = await runCli(['audit', 'query', file, '-o', 'table'])
    const lines = [...(await readFile(file, 'utf8')).split('\n'), ...stdout.split('\n')]
    expect(lines.length).toBeGreaterThan(6 * TEXTS.length)
    const raw = TEXTS.filter(([, hostile]) => lines.some(line => line.includes(hostile)))
    expect(raw.map(([name]) => name)).toEqual([])
    expect(lines.filter(line => UNPRINTABLE.test(line))).toEqual([])
  })

  test('texts of many kilobytes leave a record of a few kilobytes', async () => {
    const { signer, attack } = await startTarget()
    const long = 'x'.repeat(3000)
    const { record } = await attack({
      jwt: signer.jwt({ claims: { sub: long, team: long, ref: long } }),
      headers: [['User-Agent', 'y'.repeat(8000)]],
    })
    expect(record).toMatchObject({ decision: 'refused' })
    expect(JSON.stringify(record).length).toBeLessThanOrEqual(8192)
  })

  test('a credential in the wrong place is in no record and in no log line', async () => {
    const { apiKey, attack, signer, records, log } = await startTarget()
    const jwt = signer.jwt()
    await attack({ authorization: apiKey })
    await attack({ authorization: jwt })
    await attack({ jwt, body: { database: 'orders', [apiKey]: apiKey } })
    await attack({ path: `/${jwt}`, jwt })
    const all = JSON.stringify([await records(), log.lines])
    expect(all).not.toContain(apiKey)
    expect(all).not.toContain(jwt.split('.')[2])
  })
})
