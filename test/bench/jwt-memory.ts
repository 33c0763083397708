import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { reportCheck } from './report.ts'

/** Measures the memory of verified JWTs, in a process of its own so that nothing else counts. */
export async function jwtMemory(): Promise<void> {
  const script = fileURLToPath(new URL('./jwt-memory-child.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', script])
  const { jwts, boundMiB, grownMiB } = JSON.parse(stdout) as {
    jwts: number
    boundMiB: number
    grownMiB: number
  }
  reportCheck(
    `${jwts.toLocaleString('en')} distinct JWTs grow the process by no more than the stated ${boundMiB} MiB`,
    {
      isKept: grownMiB <= boundMiB,
      figure: `${grownMiB.toFixed(1)} MiB`,
    },
  )
}
