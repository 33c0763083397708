import { writeFile } from 'node:fs/promises'
import { findProgram } from '../../src/dev/postgres/programs.ts'
import { canRun } from '../support/databases/install.ts'
import { run } from '../support/run.ts'

/** The clock of one process, but not its timers, which can be set while it runs. */
export interface FakeClock {
  /** The environment of the process; empty if the program faketime is missing, and then the clock cannot be set. */
  readonly env: Readonly<Record<string, string>>
  readonly isSettable: boolean
  /** Puts the clock ahead of the machine's by `seconds`, within a second; negative for behind. */
  set(seconds: number): Promise<void>
}

/** Returns a clock that `file` sets, which libfaketime reads once a second. */
export async function createFakeClock(file: string): Promise<FakeClock> {
  const set = (seconds: number) => writeFile(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
  if (!(await canRun(['faketime']))) return { env: {}, isSettable: false, set: async () => {} }
  await set(0)
  // the faketime command itself would receive the signals instead of the process
  const { stdout } = await run(await findProgram('faketime'), ['-m', '-f', '+0', 'printenv', 'LD_PRELOAD'])
  const env = {
    LD_PRELOAD: stdout.trim(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  return { env, isSettable: true, set }
}
