/** What a query in PromQL rests on, as far as the queries of deploy/ go; promtool says whether it is one. */
export interface Query {
  /** The metrics that it names, each with the labels that its matchers name. */
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[]
  /** The labels of its `by (…)` and `on (…)`. */
  readonly grouping: readonly string[]
}

const TEXT = /"[^"]*"/g
const GROUPING = /\b(?:by|on)\s*\(([^)]*)\)/g
const RANGE = /\[[^\]]*\]|\boffset \w+/g
/** A word that no bracket follows, with what stands in braces after it. */
const SELECTOR = /(?<![\w:.])([a-z][\w:]*)\b(?!\s*\(|[\w:])(?:\{([^}]*)\})?/g
const OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless'])

/** Reads a query that promtool accepts. */
export function readQuery(expr: string): Query {
  const bare = expr.replace(TEXT, '""')
  const grouping = [...bare.matchAll(GROUPING)].flatMap(([, list = '']) => wordsOf(list))
  const selectors = [...bare.replace(GROUPING, '').replace(RANGE, '').matchAll(SELECTOR)]
    .map(([, metric = '', matchers = '']) => ({ metric, labels: wordsOf(matchers) }))
    .filter(({ metric }) => !OPERATORS.has(metric))
  return { selectors, grouping }
}

const wordsOf = (list: string) => [...list.matchAll(/[a-z_]\w*/g)].map(([word]) => word)
