import { escapeText, escapeUnprintable, shorten } from '../lib/printable.ts'
import { hideSecrets } from './excerpt/hidden-values.ts'
import type { ConfigOrigin } from './origin.ts'

/** One problem of a configuration. No member ever quotes a value that may be a secret. */
export interface Problem extends Partial<Place> {
  /** Path in the file, such as `databases.orders.host` or `grants[0].users[1]`; empty for the whole file. */
  readonly path: string
  readonly message: string
  /** The name of the grant that it is in, if it has one. */
  readonly grant?: string
  /** The path's own parts, until the problem is placed. */
  readonly segments?: Segments
  /** Whether the key is what is wrong, and not its value; until the problem is placed. */
  readonly isAboutKey?: boolean
}

/** Where a problem is in a configuration. */
export interface Place {
  /** The path or the `s3://` URL of the configuration. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
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

/** Returns a problem as one line, safe to print on a terminal: its place and path, as far as it has them, and its message. */
export function describeProblem(problem: Problem): string {
  const place = placeText(problem)
  const parts = [...(place === '' ? [] : [place]), problemText(problem)]
  return parts.join(': ')
}

/** Returns `FILE:LINE:COLUMN`, safe to print on a terminal; empty if the problem has no place. */
export function placeText({ file, line, column }: Problem): string {
  return file === undefined ? '' : escapeUnprintable(`${file}:${line ?? 1}:${column ?? 1}`)
}

/** Returns a problem's path, with the name of its grant, and its message, safe to print on a terminal. */
export function problemText({ path, message, grant }: Problem): string {
  const named = grant === undefined ? path : path.replace(/^grants\[\d+\]/, `$& (${grant})`)
  return escapeUnprintable(path === '' ? message : `${named}: ${message}`)
}

const MAX_PROBLEMS = 1000

/** Returns the first thousand problems, and one more that says how many are left out: nobody reads them, and logs have limits. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MAX_PROBLEMS) return problems
  const message = `there are ${problems.length - MAX_PROBLEMS} more problems, which are not listed`
  return [...problems.slice(0, MAX_PROBLEMS), { ...problems[MAX_PROBLEMS - 1], path: '', message }]
}

/** Collects the problems of one part of a configuration. */
export interface Report {
  /** Adds a problem of this part, or of what lies below it. */
  problem(message: string, ...below: Segments): void
  /** Adds a problem of a key, whatever its value is. */
  keyProblem(message: string, key: string): void
  /** Returns a report for what lies below this part; its problems are added to this one's. */
  at(...below: Segments): Report
}

/** Creates a report that adds to `problems`. */
export function createReport(problems: Problem[], path: Segments = []): Report {
  function problemOf(message: string, below: Segments): Problem {
    const segments = [...path, ...below]
    return { path: configPathText(segments), message, segments }
  }

  return {
    problem: (message, ...below) => void problems.push(problemOf(message, below)),
    keyProblem: (message, key) => void problems.push({ ...problemOf(message, [key]), isAboutKey: true }),
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

/**
 * Returns the path of a place in a configuration. Of what is no name, it has the beginning that could be one: a value follows in
 * the key if its colon is missing, as in `{ externalId x }`. Claims may have any name.
 */
export function configPathText(segments: Segments): string {
  const claims = segments.indexOf('claims')
  return pathText(
    segments.map((segment, i) =>
      typeof segment === 'number' || (claims >= 0 && i > claims) ? segment : shownKey(segment),
    ),
  )
}

/** Returns a key as far as it can be one, with an ellipsis for the rest. */
export function shownKey(key: string): string {
  const beginning = nameIn(key)
  return beginning === key ? key : `${beginning}…`
}

/** Returns what a text has of a name at its beginning, with the signs before it. */
export function nameIn(text: string): string {
  return /^[^\s\p{L}\p{M}\p{N}_$.-]*[\p{L}\p{M}\p{N}_$.-]*/u.exec(text)?.[0] ?? ''
}

/** Returns names for a message, joined by commas: at most 10, safe to print on a terminal, and `none` if there are none. */
export function namesText(names: Iterable<string>): string {
  const all = [...names]
  if (all.length === 0) return 'none'
  const shown = all.slice(0, MAX_NAMES).map(printableName)
  return [...shown, ...(all.length > shown.length ? ['…'] : [])].join(', ')
}

/** Returns the end of a message that suggests a name; empty without one. */
export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `: did you mean ${printableName(name)}?`
}

function printableName(name: string): string {
  return escapeText(hideSecrets(shorten(name, MAX_NAME_LENGTH)))
}
