import { escapeText, escapeUnprintable, shorten } from '../lib/printable.ts'
import type { ConfigOrigin } from './origin.ts'

/** One problem of a configuration. Neither member ever quotes a value that may be a secret. */
export interface Problem {
  /** Path in the file, such as `databases.orders.host` or `grants[0].users[1]`; empty for the whole file. */
  readonly path: string
  readonly message: string
}

/** Thrown if a configuration cannot be used, with all of its problems. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  /** What the configuration was made from, if it could be parsed. */
  readonly origin: ConfigOrigin | undefined

  constructor(problems: readonly Problem[], origin?: ConfigOrigin) {
    super(problems.map(describeProblem).join('\n'))
    this.problems = problems
    this.origin = origin
  }
}

/** Returns a problem as one line, safe to print on a terminal: its path, if it has one, and its message. */
export function describeProblem({ path, message }: Problem): string {
  return escapeUnprintable(path === '' ? message : `${path}: ${message}`)
}

/** Collects the problems of one part of a configuration. */
export interface Report {
  /** Adds a problem of this part, or of what lies below it. */
  problem(message: string, ...below: Segments): void
  /** Returns a report for what lies below this part; its problems are added to this one's. */
  at(...below: Segments): Report
}

/** Creates a report that adds to `problems`. */
export function createReport(problems: Problem[], path: Segments = []): Report {
  return {
    problem: (message, ...below) => void problems.push({ path: pathText([...path, ...below]), message }),
    at: (...below) => createReport(problems, [...path, ...below]),
  }
}

/** Names and positions, from the top of the file. */
export type Segments = readonly (string | number)[]

const MAX_NAME_LENGTH = 100
const MAX_NAMES = 10

/** Returns a path as people write it: names joined by dots, positions in brackets. Names are safe to print on a terminal. */
export function pathText(segments: Segments): string {
  return segments
    .map((segment, i) =>
      typeof segment === 'number' ? `[${segment}]` : `${i === 0 ? '' : '.'}${printableName(segment)}`,
    )
    .join('')
}

/** Returns names for a message, joined by commas: at most 10, safe to print on a terminal, and `none` if there are none. */
export function namesText(names: Iterable<string>): string {
  const all = [...names]
  if (all.length === 0) return 'none'
  const shown = all.slice(0, MAX_NAMES).map(printableName)
  return [...shown, ...(all.length > shown.length ? ['…'] : [])].join(', ')
}

function printableName(name: string): string {
  return escapeText(shorten(name, MAX_NAME_LENGTH))
}
