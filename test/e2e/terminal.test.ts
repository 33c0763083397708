import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderRecord } from '../../src/audit/record.ts'
import { record } from '../audit/support.ts'
import { sound } from '../config/support.ts'
import { CLI } from '../support/service/jeton.ts'
import { hasTerminals, runInTerminal } from '../support/terminal.ts'

/** What people see: the commands on a pseudo-terminal, which `script` of util-linux makes. */
describe.runIf(hasTerminals)('on a terminal', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jeton-terminal-'))
    const audit = [{ type: 'file', path: 'audit.jsonl' }]
    await writeFile(join(folder, 'jeton.json'), JSON.stringify({ ...sound(), audit }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Returns what a script of the shell shows on a terminal of that many columns. `$jeton` runs a command. */
  async function shown(script: string, { columns = 200, env = {} } = {}): Promise<string> {
    const command = `stty cols ${columns}; cd '${folder}'; jeton='${process.execPath} ${CLI}'; ${script}`
    const { stdout } = await runInTerminal(command, { env })
    return stdout.replaceAll('\r\n', '\n')
  }

  /** A server that is ended as soon as it listens, or after 10 s; its stdout goes to a file. */
  const SERVE = `rm -f out; touch out
    $jeton serve --config jeton.json --port 0 >>out & server=$!
    for i in $(seq 200); do grep -q listening out && break; sleep 0.05; done
    kill -TERM $server; wait $server`

  test("the server's log is readable lines, and its stdout is JSON as ever", async () => {
    const text = await shown(SERVE, { env: { NO_COLOR: '1' } })
    expect(text).toMatch(
      /^20\S+Z INFO {2}stopping {2}stopping: the requests in flight are finished first {2}signal=SIGTERM$/m,
    )
    expect(text).toMatch(/^20\S+Z INFO {2}audit_closed .* last=[0-9a-f]{64}/m)
    expect(text).not.toContain('\u001b')
    const [line = ''] = (await readFile(join(folder, 'out'), 'utf8')).split('\n')
    expect(JSON.parse(line)).toEqual({ msg: 'listening', url: expect.stringMatching(/^http:/) })
  })

  test("the server's log has colours, and is JSON by JETON_LOG_FORMAT=json", async () => {
    expect(await shown(SERVE)).toContain('\u001b[1mstopping\u001b[22m')
    const lines = (await shown(SERVE, { env: { JETON_LOG_FORMAT: 'json' } })).trim().split('\n')
    expect(lines.map(line => JSON.parse(line).event)).toEqual(
      expect.arrayContaining(['stopping', 'audit_closed']),
    )
  })

  test('the log of a server in a pipe is JSON', async () => {
    const piped = SERVE.replace('>>out', '>>out 2>err')
    expect(await shown(piped)).toBe('')
    const lines = (await readFile(join(folder, 'err'), 'utf8')).trim().split('\n')
    expect(lines.map(line => JSON.parse(line).event)).toEqual(
      expect.arrayContaining(['stopping', 'audit_closed']),
    )
  })

  test('jeton audit query is a table that fits, and JSON in a pipe', async () => {
    const principal = { issuer: 'github', subject: 'repo:acme/orders:ref:refs/heads/main' }
    const line = renderRecord(record({ principal, cached: false, fingerprint: '9f86d081'.repeat(8) }))
    await writeFile(join(folder, 'log.jsonl'), `${line}\n`)
    const wide = (await shown('$jeton audit query log.jsonl')).trimEnd().split('\n')
    expect(wide).toEqual([
      expect.stringMatching(
        /^TIME {22}DECISION {2}CODE {2}PRINCIPAL {36}DATABASE\/USER {2}GRANT {2}SOURCE {2}DETAIL$/,
      ),
      expect.stringContaining('github/repo:acme/orders:ref:refs/heads/main  -'),
    ])
    const narrow = (await shown('$jeton audit query log.jsonl', { columns: 120 })).trimEnd().split('\n')
    expect(narrow.map(each => each.length <= 120)).toEqual(narrow.map(() => true))
    expect(narrow.join('\n')).toContain('9f86d081')
    expect(await shown('$jeton audit query log.jsonl | cat')).toBe(`${line}\n`)
  })
})
