import { appendFile, copyFile, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { createService } from '../../src/service.ts'
import { openConnection } from '../support/raw-http/connection.ts'
import { runCli } from '../support/service/jeton.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { vended } from './outcomes.ts'
import { bytesOf, startTarget, type Target } from './target.ts'

const FILE_AND_STDOUT = { audit: [{ type: 'stdout' }, { type: 'file', path: 'audit.jsonl' }] }
const startOnDisk = async (config: object = {}) => {
  const target = await startTarget({ config: { ...FILE_AND_STDOUT, ...config } })
  const file = join(target.environment.folder, 'audit.jsonl')
  const vend = () => target.attack({ authorization: `ApiKey ${target.apiKey}` })
  const warnings = () => target.log.lines.filter(({ level }) => level === 'warn' || level === 'error')
  return { ...target, file, vend, warnings }
}

describe('a flood of anonymous requests, to fill the disk that vends need', () => {
  const behindProxy = { server: { behindProxy: 1 } }

  /** Sends refusals from `addresses` over a few connections; returns the bytes that they took on disk. */
  async function flood(target: Target, { addresses, agent }: { addresses: string[]; agent: string }) {
    const file = join(target.environment.folder, 'audit.jsonl')
    const queue = [...addresses]
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const connection = await openConnection(target.port)
        for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
          const headers = [
            ['X-Forwarded-For', address],
            ['User-Agent', agent],
          ] as const
          await connection.exchange(bytesOf({ authorization: 'ApiKey guess', headers }), { isHead: false })
        }
        connection.close()
      }),
    )
    await target.records()
    return (await stat(file)).size
  }

  test.each([
    [
      'one /64 each of one provider',
      (i: number) => `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`,
    ],
    ['one /48 each', (i: number) => `2001:db8:${i.toString(16)}::1`],
    ['one address each', (i: number) => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`],
  ])('%s', async (_name, addressOf) => {
    const target = await startOnDisk(behindProxy)
    const addresses = Array.from({ length: 5000 }, (_, i) => addressOf(i))
    const bytes = await flood(target, { addresses, agent: 'flood' })
    // one by one they would take more than 2 MB
    expect(bytes).toBeLessThan(1_200_000)
    expect(await target.vend()).toMatchObject(vended())
  })

  test('what was dropped is counted', async () => {
    const target = await startOnDisk(behindProxy)
    const addresses = Array.from({ length: 5000 }, (_, i) => `2001:db8:${i.toString(16)}::1`)
    await flood(target, { addresses, agent: 'flood' })
    await target.stop()
    const lines = (await readFile(target.file, 'utf8')).trim().split('\n')
    const records = lines.map(line => JSON.parse(line) as { decision?: string; count?: number })
    const counts = records.filter(({ decision }) => decision === 'refused').map(({ count = 1 }) => count)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5000)
  })

  test('long user agents make it no worse', async () => {
    const target = await startOnDisk(behindProxy)
    const addresses = Array.from({ length: 300 }, (_, i) => `203.0.113.${i % 250}`)
    const bytes = await flood(target, { addresses, agent: '\u009b'.repeat(8000) })
    expect(bytes).toBeLessThan(1_000_000)
  })
})

const AUDIT_WARNING = expect.objectContaining({
  fields: expect.objectContaining({ event: expect.stringMatching(/^audit_/) }),
})

describe('somebody changes the audit file', () => {
  const expectVerified = async (files: string[], code: number) =>
    expect(await runCli(['audit', 'verify', ...files])).toMatchObject({ code })

  test('empties it: the lost record is missed at once', async () => {
    const { file, vend, warnings } = await startOnDisk()
    await vend()
    await truncate(file)
    await vend()
    expect(warnings()).toContainEqual(AUDIT_WARNING)
  })

  test('copies it, waits, and empties it: what came in between is missed', async () => {
    const { file, vend, warnings } = await startOnDisk()
    await vend()
    await copyFile(file, `${file}.1`)
    await vend()
    await truncate(file)
    await vend()
    expect(warnings()).toContainEqual(AUDIT_WARNING)
  })

  test('cuts off its last line', async () => {
    const { file, vend, warnings } = await startOnDisk()
    await vend()
    await vend()
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    await truncate(file, Buffer.byteLength(`${lines[0]}\n`))
    await vend()
    expect(warnings()).toContainEqual(AUDIT_WARNING)
    await expectVerified([file], 1)
  })

  test('adds a record of its own', async () => {
    const { file, vend, warnings } = await startOnDisk()
    await vend()
    const [line = ''] = (await readFile(file, 'utf8')).split('\n')
    await appendFile(file, `${line.replace('orders', 'ledger')}\n`)
    await vend()
    expect(warnings()).toContainEqual(AUDIT_WARNING)
    await expectVerified([file], 1)
  })

  test('changes one letter of an old record', async () => {
    const { file, vend } = await startOnDisk()
    await vend()
    await vend()
    await writeFile(file, (await readFile(file, 'utf8')).replace('"report"', '"repork"'))
    await expectVerified([file], 1)
  })

  test('rotates it as log rotation does: nothing is missed', async () => {
    const { file, vend, warnings } = await startOnDisk()
    await vend()
    await rename(file, `${file}.1`)
    await vend()
    expect(warnings()).toEqual([])
    await expectVerified([`${file}.1`, file], 0)
  })
})

describe('somebody on the machine keeps jeton from starting, or makes it write elsewhere', () => {
  const startSecond = async ({ environment }: Target) => {
    const config = await loadConfig(join(environment.folder, 'jeton.json'))
    const service = await createService(config, {
      log: createLogRecorder(),
      stdout: process.stdout,
      instance: 'second/1',
    })
    onTestFinished(() => service.close())
    return service
  }
  const otherFile = { audit: [{ type: 'file', path: 'audit.jsonl' }] }

  test('any user takes the name of the lock beforehand', async () => {
    const target = await startTarget()
    const { folder } = target.environment
    const name = `\0jeton-audit-${sha256Hex(join(folder, 'audit.jsonl'))}`
    const thief = createServer().listen(name)
    onTestFinished(() => void thief.close())
    await writeFile(join(folder, 'jeton.json'), JSON.stringify(target.environment.config(otherFile)))
    await expect(startSecond(target)).resolves.toBeDefined()
  })

  test('a second process is kept from the file all the same', async () => {
    const target = await startOnDisk()
    await expect(startSecond(target)).rejects.toThrow(/another process/)
  })

  test('the file leads to another, which is no audit file', async () => {
    const target = await startTarget()
    const { folder } = target.environment
    const other = join(folder, 'other.txt')
    await writeFile(other, 'root:x:0:0\n'.repeat(500_000))
    await symlink(other, join(folder, 'audit.jsonl'))
    await writeFile(join(folder, 'jeton.json'), JSON.stringify(target.environment.config(otherFile)))
    await expect(startSecond(target)).rejects.toThrow(/not an audit file/)
    expect((await stat(other)).size).toBe(11 * 500_000)
  })

  test('nobody but its owner reads the file', async () => {
    const { file, vend } = await startOnDisk()
    await vend()
    expect((await stat(file)).mode & 0o077).toBe(0)
  })
})
