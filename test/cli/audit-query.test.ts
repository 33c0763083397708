import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createDynamodbSink } from '../../src/audit/dynamodb/sink.ts'
import { openFileSink } from '../../src/audit/file/sink.ts'
import { renderRecord } from '../../src/audit/record.ts'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import { auditQueryCommand } from '../../src/cli/audit-query.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { folder, linesOf, record } from '../audit/support.ts'
import { sound, written as writtenConfig } from '../config/support.ts'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { stubEnvironment } from '../support/aws/stub-environment.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { hasProgram } from '../support/databases/install.ts'
import { exampleIn } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { runCli } from '../support/service/jeton.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { ago, logFile, MINUTE_MS, NOW, type Options, query, RECORDS, rows } from './query-runner.ts'
import { recordStreams } from './record-streams.ts'

describe('jeton audit query', () => {
  test.each<[Options, string[]]>([
    [{}, ['r200', 'r90', 'r10', 'r1']],
    [{ reverse: true }, ['r1', 'r10', 'r90', 'r200']],
    [{ limit: '2' }, ['r10', 'r1']],
    [{ limit: '2', reverse: true }, ['r1', 'r10']],
    [{ limit: '0' }, ['r200', 'r90', 'r10', 'r1']],
    [{ limit: '0', reverse: true }, ['r1', 'r10', 'r90', 'r200']],
    [{ from: '2h' }, ['r90', 'r10', 'r1']],
    [{ from: '90m', to: '60s' }, ['r90', 'r10']],
    [{ from: '2026-11-23T08:30:00Z', to: '2026-11-23T09:50' }, ['r90']],
    [{ from: '2026-11-23T10:30:00+02:00' }, ['r90', 'r10', 'r1']],
    [{ from: '2026-11-23' }, ['r200', 'r90', 'r10', 'r1']],
    [{ to: '1d' }, []],
    [{ principal: 'ci/repo:a/b' }, ['r200']],
    [{ principal: 'ci/repo:a' }, []],
    [{ database: 'orders' }, ['r200']],
    [{ user: 'app' }, ['r10']],
    [{ decision: 'refused' }, ['r90', 'r1']],
    [{ code: 'access_denied' }, ['r90']],
    [{ grant: 'deploy' }, ['r200']],
    [{ fingerprint: '9F86D' }, ['r200']],
    [{ sourceIp: '203.0.113.9' }, ['r200', 'r90']],
    [{ sourceIp: '::FFFF:203.0.113.9' }, ['r200', 'r90']],
    [{ sourceIp: '203.0.113.9:443' }, ['r200', 'r90']],
    [{ sourceIp: '2001:DB8:0::/48' }, []],
    [{ sourceIp: '203.0.0.0/16' }, ['r200', 'r90']],
    [{ identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator' }, ['r200']],
    [{ identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/migrator' }, []],
    [{ identity: 'assumed-role/jeton-orders/orders.migrator' }, ['r200']],
    [{ identity: 'assumed-role/orders/orders.migrator' }, []],
    [{ identity: 'orders.migrator' }, ['r200']],
    [{ identity: 'AROAEXAMPLEEXAMPLE123:orders.migrator' }, ['r200']],
    [{ identity: 'migrator' }, []],
    [{ id: 'q200' }, ['r200']],
    [{ id: 'r10' }, ['r10']],
    [{ decision: 'refused', sourceIp: '203.0.113.9', limit: '1' }, ['r90']],
  ])('prints for %j the records %j', async (options, ids) => {
    const result = await query([await logFile()], options)
    const word = ids.length === 0 ? expect.stringMatching(/^no record matches /) : ''
    expect(result).toMatchObject({ exitCode: 0, stderr: word })
    expect(result.ids()).toEqual(ids)
  })

  test('prints the newest hundred by default', async () => {
    const many = Array.from({ length: 150 }, (_, i) => ago(150 - i))
    const result = await query([await logFile(many)])
    expect(result.ids()).toEqual(many.slice(50).map(({ id }) => id))
  })

  test.each<[Options, string]>([
    [
      { from: 'yesterday' },
      '--from takes a time, like 2026-11-23T10:00:00Z, or how long ago, like 30m, 2h or 7d',
    ],
    [{ to: '2026-13-01' }, '--to takes a time, like'],
    [{ from: '1' }, '--from takes a time, like'],
    [{ from: '1h', to: '2h' }, '--from must be before --to'],
    [{ limit: '-1' }, '--limit takes a number; 0 means all'],
    [{ principal: 'ci' }, '--principal takes ISSUER/SUBJECT'],
    [{ principal: '/x' }, '--principal takes ISSUER/SUBJECT'],
    [{ decision: 'granted' }, '--decision takes one of vended, listed, refused, failed'],
    [{ fingerprint: 'xyz' }, '--fingerprint takes the hex SHA-256'],
    [{ sourceIp: '203.0.113' }, '--source-ip takes an IP address'],
    [{ sourceIp: '' }, '--source-ip takes an IP address'],
    [{ sourceIp: '192.0.2.0/33' }, '--source-ip takes an IP address, or a network such as 192.0.2.0/24'],
    [{ identity: 'orders/migrator' }, '--identity takes the ARN of a role session, like arn:aws:sts::'],
    [
      { identity: 'arn:aws:iam::123456789012:role/jeton-orders' },
      '--identity takes the ARN of a role session',
    ],
    [{ identity: '' }, '--identity takes the ARN of a role session'],
    [{ output: 'yaml' }, '-o takes table, json, csv or ocsf'],
    [{ countBy: ['principals'] }, '--count-by takes principal, issuer, subject, grant, database'],
    [{ countBy: ['user,'] }, '--count-by takes principal, '],
    [{ countBy: ['user'], reverse: true }, '--reverse does not go with --count-by'],
    [
      { countBy: ['user'], output: 'ocsf' },
      '-o ocsf prints records: with --count-by, -o takes table, json or csv',
    ],
  ])('refuses %j and says what it takes', async (options, message) => {
    const result = await query([await logFile()], options)
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    expect(result.stderr).toContain(`jeton: ${message}`)
  })

  const TABLE = `
TIME                      DECISION  CODE             PRINCIPAL    DATABASE/USER    GRANT   SOURCE       DETAIL
2026-11-23T06:40:00.000Z  vended    cached           ci/repo:a/b  orders/migrator  deploy  203.0.113.9  9f86d0819f86
2026-11-23T08:30:00.000Z  refused   access_denied    -            -                -       203.0.113.9  deploy: claim ref
2026-11-23T09:50:00.000Z  failed    role_refused     -            ledger/app       -       -            -
2026-11-23T09:59:00.000Z  refused   unauthenticated  -            -                -       -            7 times since 2026-11-23T09:00:00.000Z
`.trimStart()

  test('prints a table with a header and aligned columns on a terminal, and elsewhere with -o table', async () => {
    const file = [await logFile()]
    expect((await query(file, {}, { isTTY: true })).stdout).toBe(TABLE)
    expect((await query(file, { output: 'table' })).stdout).toBe(TABLE)
    expect((await query(file, {}, { isTTY: true, columns: 200 })).stdout).toBe(TABLE)
  })

  test('fits the table to a narrow terminal, and still shows each reason in full', async () => {
    const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
    const reason = 'orders-deploy: the claim ref is refs/heads/topic, and has to be refs/heads/main'
    const refused = { decision: 'refused', code: 'access_denied', grant: 'orders-deploy', reason } as const
    const path = await logFile([ago(1, { ...refused, principal, database: 'orders', user: 'app' })])
    const { stdout } = await query([path], {}, { isTTY: true, columns: 110 })
    expect(stdout).toBe(
      `
TIME                      DECISION  CODE           PRINCIPAL              DATABASE/USER  GRANT          SOURCE
    DETAIL
2026-11-23T09:59:00.000Z  refused   access_denied  github/repo:acme/ord…  orders/app     orders-deploy  -
    orders-deploy: the claim ref is refs/heads/topic, and has to be refs/heads/main
`.trimStart(),
    )
    expect((await query([path], { output: 'table' }, { columns: 100 })).stdout).toContain(principal.subject)
  })

  test('finds what principals were told, and shows the network of counting records', async () => {
    const principal = { issuer: 'ci', subject: 'me' }
    const flooded = { decision: 'refused', code: 'unauthenticated', count: 9, since: 'then' } as const
    const path = await logFile([
      ago(2, { decision: 'listed', principal, sourceIp: '192.0.2.1' }),
      ago(1, { ...flooded, network: '2001:db8::/48', reason: 'no JWT' }),
    ])
    expect((await query([path], { decision: 'listed' })).ids()).toEqual(['r2'])
    expect(await rows([path])).toEqual([
      ['2026-11-23T09:58:00.000Z', 'listed', '-', 'ci/me', '-', '-', '192.0.2.1', '-'],
      [
        '2026-11-23T09:59:00.000Z',
        'refused',
        'unauthenticated',
        '-',
        '-',
        '-',
        '2001:db8::/48',
        'no JWT, 9 times since then',
      ],
    ])
  })

  test('lets no record control the terminal, or forge a line of the table', async () => {
    const evil = 'x\u001b[2J\r\n2026-11-23 vended\u202e\u009b'
    const path = await logFile([
      ago(1, {
        id: evil,
        decision: 'refused',
        code: evil,
        reason: evil,
        principal: { issuer: 'ci', subject: evil },
        database: evil,
        user: evil,
        grant: evil,
        sourceIp: evil,
      }),
      ago(2, { decision: 'vended', fingerprint: evil }),
    ])
    const { stdout } = await query([path], { output: 'table' })
    expect(stdout).toContain('ci/x\\u001b[2J\\r\\n2026-11-23 vended\\u202e\\u009b')
    expect(stdout).not.toMatch(/[^\P{C}\n]/u)
    expect(stdout.split('\n')).toHaveLength(4)
  })

  test('lets no record forge a column', async () => {
    const subject = 'me  orders/admin  deploy'
    const path = await logFile([ago(1, { principal: { issuer: 'ci', subject } })])
    expect((await rows([path]))[0]?.[3]).toBe('ci/me orders/admin deploy')
  })

  test('prints a row for a record whose members have the wrong types', async () => {
    const path = join(await folder(), 'audit.jsonl')
    const malformed = {
      type: 'jeton.audit',
      id: 'x',
      time: '2026-11-23T09:00:00Z',
      decision: {},
      principal: 7,
      code: ['a'],
    }
    await writeFile(path, JSON.stringify(malformed))
    expect((await rows([path]))[0]?.slice(0, 2)).toEqual(['2026-11-23T09:00:00Z', '-'])
  })

  test('prints on stderr how many lines are not records', async () => {
    const path = await logFile()
    await writeFile(path, `{"torn\n${renderRecord(ago(3))}\n`)
    const result = await query([path])
    expect(result.ids()).toEqual(['r3'])
    expect(result.stderr).toBe(`note: ${path}: skipped 1 line that is not a record\n`)
  })

  test.each<[Options, string]>([
    [{ user: 'nobody' }, 'from the beginning to now; read 4 records of LOG'],
    [{ from: '5m', decision: 'vended' }, 'from 2026-11-23T09:55:00.000Z to now; read 4 records of LOG'],
    [
      { from: '2026-11-20', to: '2026-11-21', output: 'table' },
      'from 2026-11-20T00:00:00.000Z to 2026-11-21T00:00:00.000Z; read 4 records of LOG',
    ],
  ])('says on stderr what it searched if nothing matches: %j', async (options, searched) => {
    const path = await logFile()
    expect(await query([path], options)).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: `no record matches ${searched.replace('LOG', path)}\n`,
    })
    const { stderr } = await query([path, path], options)
    expect(stderr).toBe(`no record matches ${searched.replace('4 records of LOG', '8 records of 2 files')}\n`)
  })

  test('ends without an error if its reader closes the pipe, as head does', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    })
    const args = { files: [await logFile()], configPath: 'none.yaml' }
    const { streams, written } = recordStreams()
    const { stderr } = streams
    expect(await auditQueryCommand(args, { stdout, stderr, clock: virtualClock(NOW) })).toBe(0)
    expect(written.stderr).toBe('')
  })
})

describe('jeton audit query reads compressed files', () => {
  test('by what they are, with a note if one ends too early', async () => {
    const [path, text] = [
      join(await folder(), 'kept'),
      RECORDS.map(each => `${renderRecord(each)}\n`).join(''),
    ]
    await writeFile(path, gzipSync(text))
    expect(await query([path], { user: 'app' })).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await query([path])).stdout).toBe(text)
    await writeFile(path, gzipSync(text).subarray(0, -1))
    expect(await query([path])).toMatchObject({
      exitCode: 0,
      stdout: text,
      stderr: `note: ${path}: its compressed data ends too early: what followed is missing, all before it was searched\n`,
    })
  })
})

describe('jeton audit query shows lifecycle records', () => {
  const LIFECYCLE = [
    {
      type: 'jeton.audit.started',
      configuration: { source: '/etc/jeton.yaml', sha256: 'ab'.repeat(32), files: {} },
    },
    {
      type: 'jeton.audit.reloaded',
      configuration: { source: '/etc/jeton.yaml', sha256: 'cd'.repeat(32), files: {} },
      changes: {
        grants: { added: ['new'], removed: ['old'], changed: ['other'], reordered: true },
        sections: ['server'],
      },
    },
    { type: 'jeton.audit.reload_refused', configuration: { source: '/etc/jeton.yaml' }, problems: 2 },
    {
      type: 'jeton.audit.stopped',
      configuration: { source: '/etc/jeton.yaml', sha256: 'cd'.repeat(32), files: {} },
      signal: 'SIGTERM',
    },
  ].map((members, i) => ({
    v: 1,
    id: `l${i}`,
    time: new Date(NOW - (80 - i) * MINUTE_MS).toISOString(),
    instance: 'host/1',
    jeton: '1.2.3',
    ...members,
  }))

  async function mixedFile(): Promise<string> {
    const path = join(await folder(), 'audit.jsonl')
    const lines = [...RECORDS.slice(0, 2).map(renderRecord), ...LIFECYCLE.map(each => JSON.stringify(each))]
    await writeFile(path, `${[...lines, ...RECORDS.slice(2).map(renderRecord)].join('\n')}\n`)
    return path
  }
  const idsIn = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map(text => JSON.parse(text).id)

  test('among the others, and alone or not at all by their type', async () => {
    const path = await mixedFile()
    const ids = async (type?: string) => idsIn((await query([path], { ...(type && { type }) })).stdout)
    expect(await ids()).toEqual(['r200', 'r90', 'l0', 'l1', 'l2', 'l3', 'r10', 'r1'])
    expect(await ids('lifecycle')).toEqual(['l0', 'l1', 'l2', 'l3'])
    expect(await ids('decision')).toEqual(['r200', 'r90', 'r10', 'r1'])
    expect(await ids('reload_refused')).toEqual(['l2'])
    expect((await query([path], { type: 'vended' })).stderr).toContain(
      '--type takes decision, lifecycle, or one of started, reloaded, reload_refused, stopped',
    )
  })

  const lifecycleCells = (index: number, name: string, detail: string, instance = 'host/1') => [
    LIFECYCLE[index]?.time,
    name,
    '-',
    '-',
    '-',
    '-',
    instance,
    detail,
  ]

  test('as rows that say what changed', async () => {
    expect(await rows([await mixedFile()], { type: 'lifecycle' })).toEqual([
      lifecycleCells(0, 'started', 'abababababab /etc/jeton.yaml'),
      lifecycleCells(
        1,
        'reloaded',
        'cdcdcdcdcdcd /etc/jeton.yaml, grants +new -old ~other reordered, sections ~server',
      ),
      lifecycleCells(2, 'reload_refused', '- /etc/jeton.yaml, problems: 2'),
      lifecycleCells(3, 'stopped', 'cdcdcdcdcdcd /etc/jeton.yaml, SIGTERM'),
    ])
  })

  test('without trusting what stands in them', async () => {
    const path = join(await folder(), 'audit.jsonl')
    const forged = {
      ...LIFECYCLE[1],
      instance: '\u001b[2J',
      configuration: 7,
      changes: { grants: '\u009b', x: ['\n'] },
    }
    const nulls = { ...LIFECYCLE[2], instance: null, configuration: null, changes: null, problems: null }
    await writeFile(path, `${JSON.stringify(forged)}\n${JSON.stringify(nulls)}\n`)
    expect(await rows([path])).toEqual([
      lifecycleCells(1, 'reloaded', '- -, grants -, x ~\\n', '\\u001b[2J'),
      lifecycleCells(2, 'reload_refused', '- -, problems: -', '-'),
    ])
  })
})

describe('jeton audit query on the command line', () => {
  test('prints chained records exactly as they are in the file', async () => {
    const path = join(await folder(), 'audit.jsonl')
    const sink = await openFileSink({
      path,
      clock: systemClock(),
      health: createHealth(),
      log: createLogRecorder(),
    })
    await sink.append(RECORDS.map(renderRecord))
    await sink.close()
    const { code, stdout, stderr } = await runCli(['audit', 'query', path, '--principal', 'ci/repo:a/b'])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${(await linesOf(path))[0]}\n`, stderr: '' })
  })

  test('exits with 1 if a file cannot be read, and with 2 for a usage error', async () => {
    const missing = join(await folder(), 'none.jsonl')
    expect(await runCli(['audit', 'query', missing])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`jeton: ${missing}: cannot be read: ENOENT`),
    })
    expect((await runCli(['audit', 'query', missing, '--nonsense'])).code).toBe(2)
    expect((await runCli(['audit', 'query', missing, '--limit', 'x'])).code).toBe(2)
  })

  test('searches the file of the configuration and what it was rotated to, by default', async () => {
    const [file, copy] = [await logFile(RECORDS.slice(2)), await logFile(RECORDS.slice(0, 1))]
    const audit = [{ type: 'stdout' }, { type: 'file', path: file }, { type: 'file', path: copy }]
    const path = await writtenConfig({ ...sound(), audit })
    await writeFile(`${file}-20261123.gz`, gzipSync(`${renderRecord(RECORDS[0]!)}\n`))
    await writeFile(`${file}.1`, `${renderRecord(RECORDS[1]!)}\n`)
    await writeFile(`${file}.2.xz`, '')
    const stderr = `note: ${file}.2.xz: not searched, because it is compressed, and not by gzip\n`
    expect(await runCli(['audit', 'query', '--config', path])).toEqual({
      code: 0,
      stdout: RECORDS.map(each => `${renderRecord(each)}\n`).join(''),
      stderr,
    })
    expect(await runCli(['audit', 'query', '--config', path, '--user', 'nobody'])).toEqual({
      code: 0,
      stdout: '',
      stderr: `${stderr}no record matches from the beginning to now; read 4 records of ${file} and 2 files that it was rotated to\n`,
    })
  })

  test('says what to do if no log of the configuration can be searched', async () => {
    const path = await writtenConfig({ ...sound(), audit: [{ type: 'stdout' }] })
    expect(await runCli(['audit', 'query', '--config', path])).toEqual({
      code: 2,
      stdout: '',
      stderr: `jeton: ${path} has no audit sink that can be searched: name the files that keep its stdout, or another configuration with --config\n`,
    })
  })
})

describe('jeton audit query on a table', () => {
  let dynamodb: Dynamodb
  let env: Record<string, string>
  const now = Date.now()
  const recent = (minutes: number, subject: string) =>
    renderRecord({
      ...ago(minutes, { principal: { issuer: 'ci', subject } }),
      time: new Date(now - minutes * MINUTE_MS).toISOString(),
    })
  const lines = [recent(30, 'a'), recent(20, 'b'), recent(10, 'a')]

  beforeAll(async () => {
    dynamodb = await startDynamodb()
    env = dynamodb.environment()
    stubEnvironment(dynamodb.environment())
    const clock = systemClock()
    const client = createDynamodbClient({ clock })
    await createDynamodbSink({ client, table: 'jeton-audit', clock, random: Math.random }).append(lines)
    client.destroy()
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await dynamodb.close()
  })

  async function run(...args: string[]) {
    const table = { type: 'dynamodb', table: 'jeton-audit', region: 'us-east-1' }
    // the table, whatever stands before it: it has the records of all instances
    const path = await writtenConfig({ ...sound(), audit: [{ type: 'file', path: 'none.jsonl' }, table] })
    return runCli(['audit', 'query', '--config', path, ...args], { env })
  }

  test('finds by time and by principal', async () => {
    expect(await run()).toEqual({ code: 0, stdout: lines.map(line => `${line}\n`).join(''), stderr: '' })
    expect((await run('--principal', 'ci/a', '--reverse')).stdout).toBe(`${lines[2]}\n${lines[0]}\n`)
    expect((await run('--from', '25m', '--limit', '1')).stdout).toBe(`${lines[2]}\n`)
    const none = await run('--principal', 'ci/c')
    expect(none).toMatchObject({ code: 0, stdout: '' })
    expect(none.stderr).toMatch(
      /^no record matches from 20\S+Z to now; read 0 records of the table jeton-audit; --from searches from an earlier time\n$/,
    )
    expect((await run('--user', 'nobody')).stderr).toContain('read 3 records of the table jeton-audit')
  })

  test('exits with 1 and the name of the error if DynamoDB fails', async () => {
    dynamodb.faults.refuse = 'AccessDeniedException'
    const { code, stdout, stderr } = await run()
    dynamodb.faults.refuse = undefined
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^jeton: cannot read the audit table jeton-audit in us-east-1: AccessDeniedException \(400\)/,
    )
    expect(stderr).not.toMatch(/AKIA|Signature/)
  })
})

describe("docs/operations.md, with AWS's CLI", async () => {
  const hasAws = await hasProgram('aws')
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')

  test.runIf(hasAws)('finds records by time and by principal', async () => {
    const dynamodb = await startDynamodb()
    onTestFinished(() => dynamodb.close())
    const principal = { issuer: 'ci', subject: 'repo:acme/orders' }
    const [mine, other, later] = [
      record({ id: 'mine', principal, reason: 'a "quoted" one' }),
      record({ id: 'other' }),
      record({ id: 'later', time: '2026-11-24T10:00:00.000Z', principal }),
    ].map(renderRecord) as [string, string, string]
    const direct = new DynamoDBClient({
      endpoint: dynamodb.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    })
    const sink = createDynamodbSink({
      client: direct,
      table: 'jeton-audit',
      clock: systemClock(),
      random: Math.random,
    })
    await sink.append([mine, other, later])
    direct.destroy()

    const env = { ...dynamodb.environment(), AWS_DEFAULT_REGION: 'us-east-1' }
    const shell = (script: string) => run('sh', ['-ec', script], { env })
    // only the shards in use, because AWS's CLI takes long for each
    const shards = (await dynamodb.items('jeton-audit')).map(({ pk }) => String(pk).slice(-1))
    const byTime = exampleIn(page, 'audit-by-time').replace(
      / in [0-9a-f ]+;/,
      ` in ${[...new Set(shards)].join(' ')};`,
    )
    const { stdout, stderr } = await shell(byTime)
    expect(stderr).toBe('')
    expect(stdout.trim().split('\n').sort()).toEqual([mine, other].sort())
    expect((await shell(exampleIn(page, 'audit-by-principal'))).stdout).toBe(`${mine}\n`)
  })
})
