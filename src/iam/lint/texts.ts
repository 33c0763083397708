import type { DocumentPath } from './finding.ts'

/** Stands in a text for what is known only at deployment. No policy may contain this character. */
export const UNKNOWN = '\0'

/** One text of a policy, and its path. */
export interface TextEntry {
  readonly text: string
  readonly path: DocumentPath
}

/**
 * Returns the texts of an element that has one or a list of them. What CloudFormation or Terraform inserts at deployment is
 * UNKNOWN in them; both branches of an `Fn::If` are included.
 */
export function entriesOf(value: unknown, path: DocumentPath): TextEntry[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => entriesOf(item, [...path, index]))
  if (typeof value !== 'object') return [{ text: withoutInterpolation(String(value)), path }]
  const [[name, argument] = ['', undefined], more] = Object.entries(value)
  if (more !== undefined) return [{ text: UNKNOWN, path }]
  switch (name) {
    case 'Fn::If':
      return ifBranches(argument).flatMap(({ branch, index }) => entriesOf(branch, [...path, name, index]))
    case 'Fn::Sub':
      return [{ text: substitute(argument), path }]
    case 'Fn::Join':
      return [{ text: join(argument), path }]
    case 'Ref':
      return argument === 'AWS::NoValue' ? [] : [{ text: UNKNOWN, path }]
    default:
      return [{ text: UNKNOWN, path }]
  }
}

/** Returns the two values that an `Fn::If` may become, each with its index in the argument. */
export function ifBranches(argument: unknown): { branch: unknown; index: number }[] {
  if (!Array.isArray(argument)) return []
  return argument.slice(1, 3).map((branch, i) => ({ branch, index: i + 1 }))
}

/**
 * IAM's own variables contain a colon (`${aws:username}`), or are one of its three escapes. All others are Terraform's, or
 * CloudFormation's in a text that is substituted as a whole.
 */
function withoutInterpolation(text: string): string {
  return text.replace(/\$?\$\{([^}]*)\}/g, (variable, name: string) => {
    if (variable.startsWith('$$')) return variable.slice(1)
    return /^(?!AWS::)(?:[*?$]$|.*:)/.test(name) ? variable : UNKNOWN
  })
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html */
function substitute(argument: unknown): string {
  const template: unknown = Array.isArray(argument) ? argument[0] : argument
  if (typeof template !== 'string') return UNKNOWN
  return template.replace(/\$\{(!?)([^}]*)\}/g, (_variable, literal: string, name: string) =>
    literal ? `$\{${name}}` : UNKNOWN,
  )
}

function join(argument: unknown): string {
  const [delimiter, parts]: unknown[] = Array.isArray(argument) ? argument : []
  if (typeof delimiter !== 'string' || !Array.isArray(parts)) return UNKNOWN
  return parts.map(part => entriesOf(part, [])[0]?.text ?? '').join(delimiter)
}
