import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig, loadStaticConfig } from '../../../src/config/load.ts'
import { problemsAt, problemsOf, sound, withAudit, written } from '../support.ts'

const TABLE = { type: 'dynamodb', table: 'jeton-audit' }

describe('checkAudit', () => {
  test.each([
    [[{ type: 'file' }], 'audit[0].path: is required with type: file'],
    [[{ type: 'stdout', path: 'x' }], 'audit[0].path: is only allowed with type: file'],
    [
      [{ type: 'stdout' }, { type: 'stdout' }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
    [
      [{ type: 'kafka' }, { type: 'file', path: 'a' }, { type: 'stdout' }, { type: 'file', path: './a' }],
      [
        'audit[0].type: must be one of stdout, file, dynamodb',
        'audit[3]: is the same sink as audit[1]: leave one of them out',
      ],
    ],
    [[], 'audit: must not be empty'],
    [[{ type: 'dynamodb' }], 'audit[0].table: is required with type: dynamodb'],
    [[{ ...TABLE, path: 'x' }], 'audit[0].path: is only allowed with type: file'],
    [
      [{ type: 'stdout', table: 'jeton-audit', region: 'us-east-1', retentionDays: 7 }],
      ['table', 'region', 'retentionDays'].map(key => `audit[0].${key}: is only allowed with type: dynamodb`),
    ],
    [[{ ...TABLE, retentionDays: 0 }], 'audit[0].retentionDays: must be from 1 to 36500'],
    [[{ ...TABLE, region: 'mars' }], 'audit[0].region: is not an AWS region, such as us-east-1'],
    [
      [TABLE, { ...TABLE, retentionDays: 7 }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
    [
      [TABLE, { ...TABLE, region: 'us-east-1' }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
  ])('rejects %j', async (audit, problems) => {
    expect(await problemsOf(withAudit(audit))).toEqual([problems].flat())
  })

  test('accepts tables of one name in two regions', async () => {
    const audit = ['us-east-1', 'eu-west-1'].map(region => ({ ...TABLE, region, retentionDays: 400 }))
    expect((await loadConfig(await written({ ...sound(), audit }))).audit).toEqual(audit)
  })

  test.each([
    [{}, {}],
    [{ region: 'us-east-1' }, {}],
    [{ region: 'us-east-1' }, { region: 'us-east-1' }],
  ])("rejects the store's table: %j, %j", async (ofStore, ofAudit) => {
    const store = { ...TABLE, ...ofStore, encryption: { kmsKeyId: 'alias/jeton' } }
    const audit = [{ type: 'stdout' }, { ...TABLE, ...ofAudit }]
    expect(await problemsOf(config => ({ ...config, store, audit }))).toEqual([
      "audit[1].table: is also the store's table: the sink needs a table of its own",
    ])
  })
})

describe('checkAudit on the file of a sink', () => {
  const withFile = (path: string) => ({ ...sound(), audit: [{ type: 'file', path }] })

  /** A configuration in a new folder, with a sink for a file in it and what `prepare` puts there. */
  async function writtenWith(path: string, prepare: (folder: string) => Promise<unknown>): Promise<string> {
    const configPath = await written(withFile(path))
    await prepare(dirname(configPath))
    return configPath
  }

  test.each<[string, string, (folder: string) => Promise<unknown>, string]>([
    [
      'in a folder that does not exist',
      'logs/audit.jsonl',
      async () => {},
      'is in a folder that does not exist: create ./logs, for the user that jeton runs as',
    ],
    [
      'below a file',
      'logs/audit.jsonl',
      folder => writeFile(join(folder, 'logs'), ''),
      'is in ./logs, which is not a folder',
    ],
    ['that is a folder', 'logs', folder => mkdir(join(folder, 'logs')), 'is a folder: name a file in it'],
    [
      'that is a link into a folder that does not exist',
      'audit.jsonl',
      folder => symlink('none/audit.jsonl', join(folder, 'audit.jsonl')),
      'is in a folder that does not exist: create ./none, for the user that jeton runs as',
    ],
    [
      'that is the configuration',
      'jeton.yaml',
      async () => {},
      'is a file that jeton reads: what it appends would break it',
    ],
  ])('rejects one %s', async (_, path, prepare, problem) => {
    const configPath = await writtenWith(path, prepare)
    const problems = await problemsAt(configPath)
    expect(problems.map(text => text.replaceAll(dirname(configPath), '.'))).toEqual([
      `audit[0].path: ${problem}`,
    ])
  })

  test('rejects one that is a device', async () => {
    expect(await problemsAt(await written(withFile('/dev/null')))).toEqual([
      expect.stringMatching(
        /^audit\[0\]\.path: is (not a regular file|in a folder that jeton cannot write to)/,
      ),
    ])
  })

  test.skipIf(process.getuid?.() === 0)('rejects one that it cannot write, or not beside', async () => {
    const readOnly = await writtenWith('audit.jsonl', folder =>
      writeFile(join(folder, 'audit.jsonl'), '', { mode: 0o400 }),
    )
    expect(await problemsAt(readOnly)).toEqual([
      'audit[0].path: is a file that jeton cannot read and write (EACCES): give it to the user that jeton runs as',
    ])
    const folderReadOnly = await writtenWith('logs/audit.jsonl', folder =>
      mkdir(join(folder, 'logs'), { mode: 0o500 }),
    )
    expect(await problemsAt(folderReadOnly)).toEqual([
      expect.stringMatching(/^audit\[0\]\.path: is in a folder that jeton cannot write to \(EACCES\)/),
    ])
  })

  test('accepts one that is there, that is not there yet, or behind a link, and creates none', async () => {
    const plain = await written(withFile('audit.jsonl'))
    expect(await problemsAt(plain)).toEqual([])
    expect(await readdir(dirname(plain))).toEqual(['jeton.yaml'])
    const there = await writtenWith('audit.jsonl', folder => writeFile(join(folder, 'audit.jsonl'), ''))
    expect(await problemsAt(there)).toEqual([])
    const linked = await writtenWith('audit.jsonl', folder =>
      symlink('real.jsonl', join(folder, 'audit.jsonl')),
    )
    expect(await problemsAt(linked)).toEqual([])
  })

  test('finds two paths of one file', async () => {
    const audit = ['audit.jsonl', 'link/audit.jsonl'].map(path => ({ type: 'file', path }))
    const path = await written({ ...sound(), audit })
    await symlink('.', join(dirname(path), 'link'))
    expect(await problemsAt(path)).toEqual(['audit[1]: is the same sink as audit[0]: leave one of them out'])
  })

  test('does not look at it for commands that write none, nor at that of the server that runs', async () => {
    const path = await written(withFile('logs/audit.jsonl'))
    await mkdir(join(dirname(path), 'logs'))
    const inUse = await loadConfig(path)
    await rm(join(dirname(path), 'logs'), { recursive: true })
    await expect(loadStaticConfig(path)).resolves.toBeDefined()
    await expect(loadConfig(path, { purpose: 'describe' })).resolves.toBeDefined()
    await expect(loadConfig(path, { purpose: { reloadOf: inUse } })).resolves.toBeDefined()
    const other = { ...inUse, audit: [] }
    for (const purpose of ['start', { reloadOf: other }] as const)
      await expect(loadConfig(path, { purpose })).rejects.toThrow('is in a folder that does not exist')
  })
})
