import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireInNodeOptions, tunnelModule } from '../../src/client/node-tunnel.ts'
import { run } from '../support/run.ts'
import { RDS_HOST } from '../support/service/api-stub.ts'

describe('a Node program with the tunnel', () => {
  let folder: string
  let nodeOptions: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'a "tunnel" \\ of ä-'))
    const file = join(folder, 'node-tunnel.cjs')
    await writeFile(file, tunnelModule({ host: RDS_HOST, connectHost: '192.0.2.7' }))
    nodeOptions = requireInNodeOptions(file, '--no-warnings')
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Runs code that calls `done` with what it found. */
  async function found(code: string, args: readonly string[] = ['-e']): Promise<unknown> {
    const script = `const done = value => console.log(JSON.stringify(value)); const host = '${RDS_HOST}'; ${code}`
    const { stdout, stderr } = await run(process.execPath, [...args, script], {
      env: { NODE_OPTIONS: nodeOptions },
    })
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  }

  test.each([
    ['dns.lookup', `require('dns').lookup(host, (_, ...answer) => done(answer))`, ['192.0.2.7', 4]],
    [
      'with options',
      `require('dns').lookup(host, { all: true }, (_, answer) => done(answer))`,
      [{ address: '192.0.2.7', family: 4 }],
    ],
    ['with a family', `require('dns').lookup(host, 4, (_, ...answer) => done(answer))`, ['192.0.2.7', 4]],
    [
      'in promises',
      `require('dns').promises.lookup(host, { all: true }).then(done)`,
      [{ address: '192.0.2.7', family: 4 }],
    ],
    [
      'in dns/promises',
      `require('node:dns/promises').lookup(host).then(done)`,
      { address: '192.0.2.7', family: 4 },
    ],
    [
      'promisified',
      `require('util').promisify(require('dns').lookup)(host).then(done)`,
      { address: '192.0.2.7', family: 4 },
    ],
    [
      'in other cases, and with a dot',
      `require('dns').lookup(host.toUpperCase() + '.', (_, address) => done(address))`,
      '192.0.2.7',
    ],
    [
      'in a worker',
      `const { Worker } = require('worker_threads'); new Worker("require('dns').lookup('" + host + "', (_, address) => require('worker_threads').parentPort.postMessage(address))", { eval: true }).on('message', done)`,
      '192.0.2.7',
    ],
    [
      'in a child',
      `const { execFileSync } = require('child_process'); done(execFileSync(process.execPath, ['-p', "require('dns').lookup('" + host + "', (_, address) => console.log(address)), ''"]).toString().trim())`,
      '192.0.2.7',
    ],
    [
      'of other names',
      `require('dns').lookup('127.0.0.9', (_, ...answer) => done(answer))`,
      ['127.0.0.9', 4],
    ],
    [
      'of names that end with it',
      `require('dns').lookup('evil-' + host, error => done(error.code !== undefined))`,
      true,
    ],
    [
      'called wrongly',
      `try { require('dns').lookup(host) } catch (error) { done(error.code) }`,
      'ERR_INVALID_ARG_TYPE',
    ],
  ])('looks RDS’s name up elsewhere: %s', async (_, code, answer) => {
    expect(await found(code)).toEqual(answer)
  })

  test('looks RDS’s name up elsewhere: imported by name', async () => {
    const module = `import { lookup } from 'node:dns'; import { lookup as later } from 'node:dns/promises'; lookup(host, async (_, address) => done([address, (await later(host)).address]))`
    expect(await found(module, ['--input-type=module', '-e'])).toEqual(['192.0.2.7', '192.0.2.7'])
  })

  test('keeps the options that were there', async () => {
    expect(await found('done(process.env.NODE_OPTIONS)')).toMatch(/ --no-warnings$/)
    expect(requireInNodeOptions('/a/b', undefined)).toBe('--require "/a/b"')
  })
})
