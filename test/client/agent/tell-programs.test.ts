import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../../../src/client/agent/run-command.ts'
import { signalProgram } from '../../../src/client/agent/signal-program.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-agent-'))
  return () => rm(folder, { recursive: true, force: true })
})

describe('a command', () => {
  const run = (command: string, { clock = virtualClock(), signal = new AbortController().signal } = {}) =>
    runCommand(command, { env: { PATH: process.env.PATH, OUT: join(folder, 'out') }, clock, signal })

  test('is one of the shell, with this environment alone and no input', async () => {
    await run('{ cat; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort; } > "$OUT"')
    const out = join(folder, 'out')
    expect(await readFile(out, 'utf8')).toBe(`OUT=${out}\nPATH=${process.env.PATH}\n`)
  })

  test('that fails says how, and not what it was', async () => {
    await expect(run('exit 3 # secret')).rejects.toThrow(/^its exit code is 3$/)
    await expect(run('kill -9 $$ # secret')).rejects.toThrow(/^SIGKILL ended it$/)
  })

  test('that does not end within a minute is ended, and if it ignores that, killed, with all that it started', async () => {
    const clock = virtualClock()
    const running = run('trap "" TERM; sleep 600 & echo $$ $! > "$OUT"; wait; sleep 600', { clock })
    const outcome = running.catch(cause => cause.message)
    const pids = await started()
    await clock.advance(60_000)
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true])
    await clock.advance(5000)
    expect(await outcome).toBe('it did not end within 60 s, and was ended')
    await allEnd(pids)
  })

  test('ends with the agent, with all that it started', async () => {
    const end = new AbortController()
    const running = run('sleep 600 & echo $$ $! > "$OUT"; wait', { signal: end.signal })
    const outcome = running.catch(cause => cause.message)
    const pids = await started()
    end.abort()
    expect(await outcome).toBe('SIGTERM ended it')
    await allEnd(pids)
  })

  const pause = () => new Promise(resolve => setTimeout(resolve, 5))

  /** The processes of a command, once it has written their ids. */
  async function started(): Promise<number[]> {
    for (;;) {
      const text = await readFile(join(folder, 'out'), 'utf8').catch(() => '')
      if (text.endsWith('\n')) return text.trim().split(' ').map(Number)
      await pause()
    }
  }

  async function allEnd(pids: readonly number[]) {
    while ((await Promise.all(pids.map(isAlive))).includes(true)) await pause()
  }

  /** A zombie only waits for somebody to ask how it ended. */
  async function isAlive(pid: number) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    return stat !== '' && !/^.*\) Z/.test(stat)
  }
})

describe('a signal', () => {
  const signals: string[] = []
  const host = {
    pid: 4711,
    kill(pid: number, signal: string) {
      const code = { 100: 'ESRCH', 101: 'EPERM' }[pid]
      if (code) throw Object.assign(new Error(code), { code })
      signals.push(`${signal} ${pid}`)
    },
  }
  beforeEach(() => {
    signals.length = 0
  })

  async function send(text?: string) {
    const pidFile = join(folder, 'pid')
    if (text !== undefined) await writeFile(pidFile, text)
    return signalProgram({ signal: 'SIGHUP', pidFile }, host)
  }

  test('goes to the process that the file names now', async () => {
    expect(await send('812\n')).toBe(true)
    expect(await send('  813 \nmore')).toBe(true)
    expect(signals).toEqual(['SIGHUP 812', 'SIGHUP 813'])
  })

  test('goes to nobody without the file: the program does not run', async () => {
    expect(await send()).toBe(false)
    expect(signals).toEqual([])
  })

  test.each(['0', '1', '-812', '', 'abc', '812abc', '4711', '99999999999', '812 813', '0x10', '1e3'])(
    'goes to nobody if the file says %j',
    async text => {
      await expect(send(text)).rejects.toThrow(
        '/pid does not begin with the id of a program that may get SIGHUP',
      )
      expect(signals).toEqual([])
    },
  )

  test('that nobody gets is said: the file is left over, or the process is another user’s', async () => {
    await expect(send('100')).rejects.toThrow(/^no process has the id 100 of .*\/pid, which is left over$/)
    await expect(send('101')).rejects.toThrow(/cannot get SIGHUP \(EPERM\): it is another user's$/)
  })
})
