import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEMO_RUNS as LAST, startDemo as startDemoUntil } from '../support/demo.ts'
import { processesWith } from '../support/processes.ts'
import { hasTerminals, openTerminal } from '../support/terminal.ts'

/** The first line, which comes before anything is started. */
const FIRST = 'jeton: an RDS password'
const END_MS = { timeout: 20_000, interval: 100 }

/** For the demo's files: it and every process that it starts have it in their command line or environment. */
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  // PostgreSQL runs as another account if this process is root
  await chmod(folder, 0o711)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const env = () => ({ TMPDIR: folder })

async function startDemo(text: string): Promise<ChildProcess> {
  const { demo } = await startDemoUntil({ until: text, env: env() })
  return demo
}

async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => processesWith(folder), END_MS).toEqual([])
  expect(await readdir(folder)).toEqual([])
}

/** Starts the demo and waits until it has begun to start what it needs. */
async function startingDemo(): Promise<ChildProcess> {
  const demo = await startDemo(FIRST)
  await expect.poll(() => readdir(folder), { interval: 10, timeout: 20_000 }).not.toEqual([])
  return demo
}

async function expectNothingLeftAtExit(demo: ChildProcess, exitCode: number): Promise<void> {
  expect(await once(demo, 'exit')).toEqual([exitCode, null])
  expect(await readdir(folder)).toEqual([])
  await expectNothingLeft()
}

describe('the demo leaves neither files nor children behind', () => {
  test.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'if %s ends it while it starts',
    async (signal, exitCode) => {
      const demo = await startingDemo()
      demo.kill(signal)
      await expectNothingLeftAtExit(demo, exitCode)
    },
    60_000,
  )

  test('if SIGHUP ends it while it waits', async () => {
    const demo = await startDemo(LAST)
    demo.kill('SIGHUP')
    await expectNothingLeftAtExit(demo, 0)
  }, 60_000)

  test('if nobody reads what it prints', async () => {
    const demo = await startDemo(FIRST)
    demo.stdout?.destroy()
    await expectNothingLeftAtExit(demo, 0)
  }, 60_000)

  test('if SIGKILL ends it while it starts', async () => {
    const demo = await startingDemo()
    demo.kill('SIGKILL')
    await expectNothingLeft()
  }, 60_000)

  test('if SIGKILL ends it while all of it runs', async () => {
    const demo = await startDemo(LAST)
    expect(await readdir(folder)).toContainEqual(expect.stringMatching(/^jeton-demo-/))
    expect(await processesWith(folder)).toContainEqual(expect.stringMatching(/cli\.mjs serve --config/))
    demo.kill('SIGKILL')
    await expectNothingLeft()
  }, 60_000)
})

describe.runIf(hasTerminals)('a terminal that closes', () => {
  test('ends the demo, its children and its files', async () => {
    const terminal = await openTerminal(['demo'], { until: LAST, env: { TMPDIR: folder } })
    await terminal.close()
    await expectNothingLeft()
  }, 60_000)

  test('ends a server under --dev', async () => {
    const args = ['serve', '--dev', '--port', '0']
    const terminal = await openTerminal(args, { until: 'JETON_API_KEY', env: { TMPDIR: folder } })
    expect(await processesWith(folder)).toContainEqual(expect.stringContaining('serve --dev'))
    await terminal.close()
    await expectNothingLeft()
  }, 60_000)
})
