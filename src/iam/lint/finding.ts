/** Names and positions, from the top of a file. */
export type DocumentPath = readonly (string | number)[]

export type LintRule =
  | 'action'
  | 'condition-key'
  | 'resource'
  | 'resource-id'
  | 'partition'
  | 'region'
  | 'account'
  | 'variable'
  | 'too-broad'
  | 'not-configured'
  | 'not-covered'

export interface LintFinding {
  /** An error never works. A warning works, and allows more than it has to. */
  readonly severity: 'error' | 'warning'
  readonly rule: LintRule
  readonly path: DocumentPath
  /** What is wrong and what to do. It quotes the policy unescaped: whoever prints it must escape it. */
  readonly message: string
}
