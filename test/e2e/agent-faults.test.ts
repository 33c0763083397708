import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../support/run.ts'
import { type Agent, startAgent } from '../support/service/agent.ts'
import { type ApiStub, sampleReply, startApiStub } from '../support/service/api-stub.ts'

let api: ApiStub
let folder: string
let agents: Agent[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'))
  agents = []
  api = await startApiStub()
  // each token is another one, and is due for renewal when somebody asks
  api.answers = [
    ({ body }) => {
      const { database } = JSON.parse(body) as { database: string }
      const expiresAt = new Date(Date.now() + 893_000).toISOString()
      return { body: sampleReply({ database, expiresAt, refreshAfter: new Date().toISOString() }) }
    },
  ]
})
afterEach(async () => {
  await Promise.all(agents.map(agent => agent.stop()))
  await api.close()
  await rm(folder, { recursive: true, force: true })
})

function start(args: readonly string[], wrapper: readonly string[] = []) {
  const env = { JETON_URL: api.url, JETON_JWT: 'eyJ.eyJ.x' }
  const agent = startAgent(args, { env, wrapper })
  agents.push(agent)
  return agent
}

test('files that somebody removes or empties are written again, and others’ lines in them are kept', async () => {
  const [pgpass, json] = [join(folder, 'pgpass'), join(folder, 'json')]
  const agent = start(['orders', '--pgpass', pgpass, '--json', json])
  await agent.ready
  const token = JSON.parse(await readFile(json, 'utf8')).token
  api.answers = [{ status: 503, body: {} }]
  await rm(json)
  await writeFile(pgpass, '*:*:*:*:theirs\n')
  const before = agent.log.length
  agent.wake()
  await agent.logged('agent_renewal_failed', before)
  const first = await agent.logged('agent_file_written', before)
  await agent.logged('agent_file_written', agent.log.indexOf(first) + 1)
  expect(JSON.parse(await readFile(json, 'utf8')).token).toBe(token)
  expect(await readFile(pgpass, 'utf8')).toMatch(/# jeton agent: end orders\n\*:\*:\*:\*:theirs\n$/)
  expect(await agent.stop()).toBe(0)
  expect((await readdir(folder)).sort()).toEqual(['json', 'pgpass'])
})

test('three agents on one file, two of them for one database, keep all their lines', async () => {
  const pgpass = join(folder, 'pgpass')
  await writeFile(pgpass, '*:*:*:*:theirs')
  for (const database of ['orders', 'stock', 'orders']) start([database, '--pgpass', pgpass])
  await Promise.all(agents.map(({ ready }) => ready))
  for (let round = 0; round < 5; round++) {
    const seen = agents.map(({ log }) => log.length)
    for (const agent of agents) agent.wake()
    await Promise.all(agents.map((agent, index) => agent.logged('agent_token_renewed', seen[index])))
    const text = await readFile(pgpass, 'utf8')
    expect(text.match(/begin \w+/g)?.sort()).toEqual(['begin orders', 'begin stock'])
    expect(text.endsWith('\n*:*:*:*:theirs')).toBe(true)
  }
})

const canMount =
  (await run('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).catch(() => null))?.code === 0

describe.runIf(canMount)('a full disk', () => {
  test('leaves the old file whole, is said, and is tried again until there is room', async () => {
    const disk = join(folder, 'disk')
    await mkdir(disk)
    const mounted = [
      'unshare',
      '-rm',
      'sh',
      '-c',
      `mount -t tmpfs -o size=48k none '${disk}' && exec "$@"`,
      'sh',
    ]
    const agent = start(['orders', '--json', join(disk, 'json'), '--health', '0'], mounted)
    await agent.ready
    const { health } = await agent.logged('agent_started')
    // the disk is seen by the agent alone
    const seen = `/proc/${agent.process.pid}/root${disk}`
    const old = await readFile(join(seen, 'json'), 'utf8')
    await fill(join(seen, 'filler'))
    const before = agent.log.length
    agent.wake()
    expect(await agent.logged('agent_write_failed', before)).toMatchObject({
      level: 'error',
      msg: `${join(disk, 'json')} cannot be written: the disk is full (ENOSPC)`,
    })
    expect(await readFile(join(seen, 'json'), 'utf8')).toBe(old)
    expect((await readdir(seen)).sort()).toEqual(['filler', 'json'])
    const notReady = await fetch(`${health}/readyz`)
    expect([notReady.status, await notReady.text()]).toEqual([
      503,
      expect.stringContaining('the disk is full'),
    ])

    await rm(join(seen, 'filler'))
    agent.wake()
    await agent.logged('agent_file_written', before)
    expect(await readFile(join(seen, 'json'), 'utf8')).not.toBe(old)
    expect((await fetch(`${health}/readyz`)).status).toBe(200)
    expect((await stat(join(seen, 'json'))).mode & 0o777).toBe(0o600)
  })

  /** Writes until nothing more fits. */
  async function fill(path: string) {
    for (let text = ''; ; text += 'x'.repeat(1024)) {
      try {
        await writeFile(path, text)
      } catch {
        return
      }
    }
  }
})
