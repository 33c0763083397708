import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createGrowingLog } from '../audit/follow/growing-log.ts'
import { folder } from '../audit/support.ts'
import { startReceiver } from '../cli/forward/test-receiver.ts'
import { sound } from '../config/support.ts'
import { commandOf, readUnit } from '../recipes/units.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { eventually } from '../support/proxy/eventually.ts'
import { run } from '../support/run.ts'
import { CLI } from '../support/service/jeton.ts'
import { startProgram } from '../support/service/started-program.ts'

async function setUp() {
  const path = join(await folder(), 'audit.jsonl')
  const target = await startReceiver()
  function start() {
    const program = startProgram(
      [process.execPath, CLI, 'audit', 'forward', path, '--from-start', '--batch', '2', '--to', target.url],
      { env: {}, lastSignal: 'KILL' },
    )
    onTestFinished(() => void program.process.kill('SIGKILL'))
    return program
  }
  return { path, target, start, log: createGrowingLog() }
}

test('a process that is killed between a request and its answer loses no record, through a rotation', async () => {
  const { path, target, start, log } = await setUp()
  await log.write(path, 'a', 'b', 'c', 'd', 'e')
  const first = start()
  // it has the second batch, and never says so
  target.answer = ({ body }) => (body.includes('"id":"c"') ? 'hang' : { status: 200 })
  await eventually(() => target.requests.length, 2)
  first.process.kill('SIGKILL')
  await first.ended
  await rename(path, `${path}.1`)
  await log.write(path, 'f')
  target.answer = () => ({ status: 200 })
  const second = start()
  await eventually(() => target.accepted(), ['a', 'b', 'c', 'd', 'e', 'f'])
  const received = target.requests.flatMap(({ body }) => JSON.parse(body).map(({ id }: { id: string }) => id))
  expect(received.filter(id => id === 'c')).toHaveLength(2)

  // while it runs: rotated, then the receiver is down, then up
  await log.write(path, 'g')
  await rename(path, `${path}.2`)
  await eventually(() => target.accepted().at(-1), 'g')
  await target.close()
  await log.write(path, 'h', 'i', 'j')
  await second.until(() => second.stderr.find(line => line.includes('forward_waiting')))
  const restarted = await startReceiver(target.port)
  await eventually(() => restarted.accepted(), ['h', 'i', 'j'])
  expect(await second.stop()).toBe(0)
  expect(JSON.parse(second.stdout.join('\n'))).toMatchObject({ msg: 'forwarding', log: `file ${path}` })
  const events = second.stderr.map(line => JSON.parse(line).event)
  expect(events).toEqual(['forward_started', 'forward_waiting', 'forward_recovered', 'forward_stopped'])
})

test('the example of docs/operations.md runs as it stands there', async () => {
  const { path, target, log } = await setUp()
  await log.write(path, 'a')
  const script = exampleIn(await readDocsPage('operations'), 'forward')
  const jeton = `cd ${join(path, '..')}; jeton() { ${process.execPath} ${CLI} "$@"; }`
  const env = { RECEIVER: target.url, RECEIVER_TOKEN: 'opensesame' }
  const { code, stdout, stderr } = await run('sh', ['-ec', `${jeton}; ${script}`], { env })
  expect([code, target.accepted()]).toEqual([0, ['a']])
  expect(target.requests[0]?.headers.authorization).toBe('Bearer opensesame')
  expect(`${stdout}${stderr}`).not.toContain('opensesame')
})

test('the unit of systemd runs as systemd starts it', async () => {
  const { path, target, log } = await setUp()
  const folder = join(path, '..')
  await mkdir(join(folder, 'jeton-forward'))
  const config = join(folder, 'jeton.yaml')
  await writeFile(config, JSON.stringify({ ...sound(), audit: [{ type: 'file', path }] }))
  const unit = await readUnit('system/jeton-audit-forward.service')
  const [, ...args] = commandOf(unit, 'ExecStart', { specifiers: { S: folder } })
  const program = startProgram([process.execPath, CLI, ...args], {
    env: { JETON_CONFIG: config, JETON_FORWARD_URL: target.url },
    lastSignal: 'KILL',
  })
  await program.until(() => program.stdout[0])
  await log.write(path, 'a')
  await eventually(() => target.accepted(), ['a'])
  expect(await program.stop()).toBe(0)
})
