import { escapeText, shorten } from '../lib/printable.ts'

/** One thing that is wrong with a configuration. Neither part ever quotes a value that might be a secret. */
export interface Problem {
  /** Where in the file: `databases.orders.host`, `grants[0].users[1]`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** Thrown where a configuration cannot be used: all of its problems at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(describeProblem).join('\n'))
    this.problems = problems
  }
}

export function describeProblem({ path, message }: Problem): string {
  return path === '' ? message : `${path}: ${message}`
}

/** Names and positions, from the top of the file. */
export type Segments = readonly (string | number)[]

const LONGEST_NAME = 100

/** Writes a path as a person would: names joined by full stops, positions in brackets. Names are made fit for a terminal. */
export function pathText(segments: Segments): string {
  return segments
    .map((segment, i) =>
      typeof segment === 'number'
        ? `[${segment}]`
        : `${i === 0 ? '' : '.'}${escapeText(shorten(segment, LONGEST_NAME))}`,
    )
    .join('')
}

/** Names that could have been meant, for a message; no more of them than help. */
export function namesText(names: Iterable<string>): string {
  const all = [...names]
  if (all.length === 0) return 'none'
  const shown = all.slice(0, 10).map(name => escapeText(shorten(name, LONGEST_NAME)))
  return [...shown, ...(all.length > shown.length ? ['…'] : [])].join(', ')
}
