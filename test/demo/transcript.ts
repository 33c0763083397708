import { runCli } from '../support/service/jeton.ts'

const COMMAND = 'npx jeton demo --once'

/** Runs the built demo once and returns the lines of a terminal that shows it. Throws if it fails. */
export async function recordDemo(): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(['demo', '--once'])
  if (code !== 0) throw new Error(`the demo failed: ${stderr}`)
  return [`$ ${COMMAND}`, '', ...stdout.trimEnd().split('\n')]
}

/** Replaces what differs from run to run: ports, times, hashes, sizes and the version of PostgreSQL. */
export function withoutDetails(lines: readonly string[]): string[] {
  return lines.map(line =>
    line
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\b[0-9a-f]{16}…/g, 'HASH…')
      .replace(/\b\d+ bytes/g, 'N bytes')
      .replace(/PostgreSQL \d[\w.]*/g, 'PostgreSQL N'),
  )
}
