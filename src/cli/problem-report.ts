import type { Excerpt } from '../config/excerpt/excerpt.ts'
import type { ConfigText } from '../config/placed-problems.ts'
import type { TextPlace } from '../config/places.ts'
import { type Problem, placeText, problemText } from '../config/problems.ts'
import { countText } from '../lib/count-text.ts'
import { displayWidth } from '../lib/display-width.ts'

export interface ProblemReport {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** What they point into; without it, no lines are shown. */
  readonly text?: ConfigText['text'] | undefined
  /** Whether warnings fail too, which the last line then says. */
  readonly strict?: boolean
}

interface LeveledProblem extends Problem {
  readonly level: 'error' | 'warning'
}

/**
 * Returns problems and warnings in the order of the file, each as `FILE:LINE:COLUMN: error: …` with its line of the file and a
 * caret below it, and a last line that counts them. Empty if there are none. Shows no value that may be a secret.
 */
export async function problemReport({
  problems,
  warnings,
  text,
  strict = false,
}: ProblemReport): Promise<string> {
  const leveled: LeveledProblem[] = [
    ...problems.map(problem => ({ ...problem, level: 'error' as const })),
    ...warnings.map(warning => ({ ...warning, level: 'warning' as const })),
  ]
  if (leveled.length === 0) return ''
  const excerptAt =
    text === undefined ? undefined : (await import('../config/excerpt/excerpt.ts')).createExcerpts(text)
  const inOrder = leveled.sort(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  )
  const texts = inOrder.map(problem => `${firstLine(problem)}\n${excerptText(problem, excerptAt)}`)
  const isFailedByWarnings = strict && problems.length === 0
  const note = isFailedByWarnings ? ' (with --strict, these are errors)' : ''
  return `${texts.join('')}${summary(problems.length, warnings.length)}${note}\n`
}

function firstLine(problem: LeveledProblem): string {
  const place = placeText(problem)
  return `${place === '' ? '' : `${place}: `}${problem.level}: ${problemText(problem)}`
}

function excerptText(
  { line, column }: Problem,
  excerptAt: ((place: TextPlace) => Excerpt) | undefined,
): string {
  if (line === undefined || column === undefined || excerptAt === undefined) return ''
  const excerpt = excerptAt({ line, column })
  if (excerpt.line === '') return ''
  const margin = ' '.repeat(String(line).length)
  const { caretStart, caretLength } = excerpt
  const before = displayWidth(excerpt.line.slice(0, caretStart))
  const marked = displayWidth(excerpt.line.slice(caretStart, caretStart + caretLength))
  const caret = `${' '.repeat(before)}${'^'.repeat(Math.max(marked, 1))}`
  return `  ${line} | ${excerpt.line}\n  ${margin} | ${caret}\n`
}

function summary(errors: number, warnings: number): string {
  const counts = [
    ...(errors > 0 ? [countText(errors, 'error')] : []),
    ...(warnings > 0 ? [countText(warnings, 'warning')] : []),
  ]
  return counts.join(', ')
}
