import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useLiveStandIns } from '../cli/live/support.ts'
import { type CliResult, runCli, startJeton } from '../support/service/jeton.ts'

const { standIns, written } = useLiveStandIns()

function checkLive(path: string, env: Record<string, string> = standIns().env): Promise<CliResult> {
  return runCli(['check', '--config', path, '--live'], { env })
}

/** The rows that have this result. */
const rowsWith = (result: string, { stdout }: CliResult) =>
  stdout.split('\n').filter(line => line.split(/ {2,}/)[1] === result)

describe('jeton check --live', () => {
  test('prints a table and exits 0 where a server would work, and says no secret', async () => {
    const result = await checkLive(await written())
    expect([result.code, rowsWith('failed', result)]).toEqual([0, []])
    expect(result.stdout).toMatch(
      /^ok: 3 databases, .*\n\nwhat +result +detail\nAWS identity +ok +arn:aws:iam::/,
    )
    expect(rowsWith('ok', result).length).toBeGreaterThan(10)
    const { sts } = standIns()
    expect(sts.calls.map(({ outcome }) => outcome)).toEqual(['issued', 'issued', 'issued'])
    expect(result.stdout + result.stderr).not.toContain(sts.credentials.secretAccessKey)
  })

  test('exits 1 where one thing fails', async () => {
    standIns().sts.faults.deniedRoles.add('arn:aws:iam::123456789012:role/jeton-stock')
    const result = await checkLive(await written())
    expect(result.code).toBe(1)
    expect(rowsWith('failed', result)).toEqual([expect.stringMatching(/^role .*jeton-stock.*AccessDenied/)])
  })

  test('names the problems of a broken configuration first, and tries nothing', async () => {
    const result = await checkLive(await written({ grants: [{ name: 'x' }] }))
    expect([result.code, result.stdout]).toEqual([1, ''])
    expect(result.stderr).toContain('grants[0]')
    expect(standIns().sts.requests()).toBe(0)
  })

  test('ends although nothing answers', async () => {
    const { env, folder, issuer, dynamodb } = standIns()
    issuer.fault = 'slow'
    dynamodb.faults.delayMs = 60_000
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = env
    const config = join(folder, 'config')
    await writeFile(config, '[default]\ncredential_process = sleep 60\n')
    const result = await checkLive(await written(), { ...rest, AWS_CONFIG_FILE: config })
    expect(result.code).toBe(1)
    expect(rowsWith('failed', result).join('\n')).toMatch(/AWS identity .*TimeoutError/)
  }, 60_000)

  test('beside a running server says that it has the audit file, and disturbs neither', async () => {
    const { env, folder, dynamodb } = standIns()
    const path = await written({ audit: [{ type: 'file', path: 'audit.jsonl' }] })
    const jeton = await startJeton({ config: JSON.parse(await readFile(path, 'utf8')), env, folder })
    try {
      const file = join(folder, 'audit.jsonl')
      const before = await readFile(file, 'utf8')
      const result = await checkLive(path)
      expect(result.code).toBe(0)
      expect(result.stdout).toContain('a running jeton writes to it')
      expect(await readFile(file, 'utf8')).toBe(before)
      expect(await dynamodb.items('jeton')).toEqual([])
    } finally {
      await jeton.close()
    }
  })
})
