import { append, GENESIS } from '../../../src/audit/file/hash-chain.ts'

/** Links the lines in one hash chain. */
export function chained(lines: readonly string[]): string[] {
  let prev = GENESIS
  return lines.map(text => {
    const { line, hash } = append(text, prev)
    prev = hash
    return line
  })
}
