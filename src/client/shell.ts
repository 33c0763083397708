import type { Variables } from './environment.ts'

/** Lines that make the change in a POSIX shell. Each value stands in single quotes, out of which nothing can break. */
export function shellLines({ set, unset }: Variables): string {
  const exports = Object.entries(set).map(([name, value]) => `export ${name}=${quoted(value)}\n`)
  return `unset ${unset.join(' ')}\n${exports.join('')}`
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`
}
