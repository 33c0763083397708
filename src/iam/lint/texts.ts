import type { DocumentPath } from './finding.ts'

/** Stands in a text for what only a deployment knows. No policy may have this character. */
export const UNKNOWN = '\0'

/** One text of a policy, and where it stands. */
export interface TextEntry {
  readonly text: string
  readonly path: DocumentPath
}

/**
 * The texts of an element that holds one or a list of them. What CloudFormation or Terraform puts in at deployment is
 * UNKNOWN in them; of an `Fn::If`, both sides are there.
 */
export function entriesOf(value: unknown, path: DocumentPath): TextEntry[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((inner, at) => entriesOf(inner, [...path, at]))
  if (typeof value !== 'object') return [{ text: plain(String(value)), path }]
  const [[name, argument] = ['', undefined], more] = Object.entries(value)
  if (more !== undefined) return [{ text: UNKNOWN, path }]
  switch (name) {
    case 'Fn::If':
      return sidesOf(argument).flatMap(([side, at]) => entriesOf(side, [...path, name, at]))
    case 'Fn::Sub':
      return [{ text: substituted(argument), path }]
    case 'Fn::Join':
      return [{ text: joined(argument), path }]
    case 'Ref':
      return argument === 'AWS::NoValue' ? [] : [{ text: UNKNOWN, path }]
    default:
      return [{ text: UNKNOWN, path }]
  }
}

/** What an `Fn::If` may become, with the position of each. */
export function sidesOf(argument: unknown): [unknown, number][] {
  return Array.isArray(argument) ? argument.slice(1, 3).map((side, at) => [side, at + 1]) : []
}

/**
 * IAM's own variables have a colon in them (`${aws:username}`), or are one of its three escapes. The others are Terraform's,
 * or CloudFormation's in a text that is substituted as a whole.
 */
function plain(text: string): string {
  return text.replace(/\$?\$\{([^}]*)\}/g, (whole, name: string) => {
    if (whole.startsWith('$$')) return whole.slice(1)
    return /^(?!AWS::)(?:[*?$]$|.*:)/.test(name) ? whole : UNKNOWN
  })
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html */
function substituted(argument: unknown): string {
  const template: unknown = Array.isArray(argument) ? argument[0] : argument
  if (typeof template !== 'string') return UNKNOWN
  return template.replace(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) =>
    literal ? `$\{${name}}` : UNKNOWN,
  )
}

function joined(argument: unknown): string {
  const [delimiter, parts]: unknown[] = Array.isArray(argument) ? argument : []
  if (typeof delimiter !== 'string' || !Array.isArray(parts)) return UNKNOWN
  return parts.map(part => entriesOf(part, [])[0]?.text ?? '').join(delimiter)
}
