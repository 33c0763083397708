import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { type CheckAgainstArguments, checkAgainst } from '../../src/cli/check-against.ts'
import { loadConfig } from '../../src/config/load.ts'
import { NOON, recordAt } from '../audit/support.ts'
import { sound, withAudit, written as writtenConfig } from '../config/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { recordStreams } from './record-streams.ts'

const HOUR_MS = 3_600_000
const EVIL = 'evil\u001b[31m\u202e\u0007\n<b>'

const vend = (hours: number, fields: Partial<AuditRecord> = {}) =>
  recordAt(NOON + hours * HOUR_MS, {
    principal: { issuer: 'own', subject: EVIL, claims: { [EVIL]: EVIL } },
    database: 'orders',
    user: 'migrator',
    grant: 'gone',
    ...fields,
  })

async function against(records: readonly AuditRecord[], options: Partial<CheckAgainstArguments> = {}) {
  const configPath = await writtenConfig(withAudit([{ type: 'file', path: 'audit.jsonl' }])(sound()))
  const [plain, compressed] = ['audit.jsonl', 'audit.1.jsonl.gz'].map(name => join(configPath, '..', name))
  const lines = records.map(record => `${renderRecord(record)}\n`)
  const half = Math.ceil(lines.length / 2)
  await writeFile(compressed ?? '', gzipSync(lines.slice(0, half).join('')))
  await writeFile(plain ?? '', lines.slice(half).join(''))
  const { streams, written } = recordStreams()
  const exitCode = await checkAgainst(
    await loadConfig(configPath),
    { configPath, files: [plain ?? '', compressed ?? ''], clock: virtualClock(NOON), ...options },
    streams,
  )
  return { exitCode, ...written }
}

test.each(['table', 'json'])(
  'a hostile subject and claim cannot control the terminal, in %s',
  async output => {
    const { exitCode, stdout } = await against([vend(-2), vend(-1)], { output })
    expect(exitCode).toBe(3)
    expect(stdout).toContain('evil')
    for (const character of ['\u001b', '\u202e', '\u0007']) expect(stdout).not.toContain(character)
  },
)

test('reads compressed files beside others, and with --since no record from before', async () => {
  const records = [vend(-30), vend(-20), vend(-2), vend(-1)]
  const vendsOf = async (since?: string) =>
    JSON.parse((await against(records, { output: 'json', since })).stdout).loses[0]?.vends
  expect(await vendsOf()).toBe(4)
  expect(await vendsOf('24h')).toBe(3)
})

test('without files, reads the one that the configuration names and those that it was rotated to, of seven days', async () => {
  const records = [vend(-8 * 24), vend(-48), vend(-47), vend(-1)]
  const { exitCode, stdout, stderr } = await against(records, { files: [], output: 'json' })
  expect(JSON.parse(stdout).loses).toMatchObject([{ vends: 3 }])
  expect(exitCode).toBe(3)
  expect(stderr).not.toContain('no record')
})

test('a log without a record of anybody passes, and says so', async () => {
  expect(await against([])).toMatchObject({
    exitCode: 0,
    stdout: 'compared with 0 records of 0 callers\nall would be decided as before\n',
    stderr: expect.stringContaining('note: no record of a vend or a denial is in 2 files in this time\n'),
  })
})

test('a log of more callers than it tells apart never passes', async () => {
  const granted = (team: string) => ({ issuer: 'own', subject: 'deployer', claims: { team } })
  const records = [
    ...['a', 'b'].map((team, i) => vend(i - 3, { principal: granted(team), grant: 'deploy' })),
    vend(-1),
  ]
  const { exitCode, stdout, stderr } = await against(records, { maxCallers: 2 })
  expect(stdout).toContain('\nall that were looked at would be decided as before\n')
  expect(stderr).toContain('note: left out 1 record of more callers than can be told apart, ')
  expect(exitCode).toBe(1)
  expect((await against(records)).exitCode).toBe(3)
})
