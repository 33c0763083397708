import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasTerminals } from '../support/terminal.ts'

const MODULE = fileURLToPath(new URL('../../src/telemetry/stderr-stream.ts', import.meta.url))
const CREATE = `const { createStderrStream } = await import(${JSON.stringify(MODULE)}); const stream = createStderrStream()`
const WRITE = `for (let i = 0; i < 2000; i++) stream.write('line ' + i + '\\n')`
const ALL = Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join('')

const nodeArguments = (script: string) => ['--import', 'tsx', '--input-type=module', '-e', script]

/** Resolves with the exit code. A process that does not end by itself is killed, and has none. */
async function run(script: string, read: (stderr: NodeJS.ReadableStream) => void): Promise<number | null> {
  const child = spawn(process.execPath, nodeArguments(script), { stdio: ['ignore', 'ignore', 'pipe'] })
  read(child.stderr)
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return code
}

describe('createStderrStream', () => {
  test.each([
    ['by itself', `${CREATE}; ${WRITE}`],
    ['at once', `${CREATE}; ${WRITE}; process.exit(0)`],
    [
      'in the middle of a write',
      `${CREATE}; stream.write('line 0\\n'); ${WRITE.replace('i = 0', 'i = 1')}; process.exit(0)`,
    ],
  ])('writes every line in order if the process ends %s', async (_when, script) => {
    let text = ''
    const code = await run(script, stderr => stderr.setEncoding('utf8').on('data', chunk => (text += chunk)))
    expect(code).toBe(0)
    // of a process that ends in the middle of a write, a busy machine may write that one last; it is whole, and there once
    expect(text.replace('line 0\n', '')).toBe(ALL.replace('line 0\n', ''))
    expect(text).toHaveLength(ALL.length)
  })

  test('lets the process end if nobody reads any more', async () => {
    const script = `${CREATE}; setTimeout(() => { ${WRITE}; process.exit(3) }, 500)`
    expect(
      await run(script, stderr => (stderr as NodeJS.ReadableStream & { destroy(): void }).destroy()),
    ).toBe(3)
  })

  test.runIf(hasTerminals)('lets the process end if its terminal is closed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const [program, out] = [join(folder, 'program.mjs'), join(folder, 'out')]
    await writeFile(
      program,
      `import { appendFileSync } from 'node:fs'
       ${CREATE}
       process.on('SIGHUP', () => { ${WRITE}; process.exit(0) })
       process.on('exit', () => appendFileSync(${JSON.stringify(out)}, 'exit '))
       setInterval(() => {}, 1000)
       process.stdout.write('ready')`,
    )
    const command = [process.execPath, '--import', 'tsx', program].join(' ')
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
    await once(terminal.stdout, 'data')
    terminal.kill('SIGKILL')
    await expect.poll(() => readFile(out, 'utf8').catch(() => ''), { timeout: 20_000 }).toBe('exit ')
  })
})
