/** Letters of a custom domain's mapping key (https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html), in segments. */
const BASE_PATH = /^(?:\/[\w.$+!*'()~-]+)+$/

export interface BasePath {
  /** Begins with a slash and does not end with one; empty if there is none. */
  readonly basePath: string
  /** What is wrong with the text. */
  readonly problem?: string
}

/**
 * Reads `JETON_BASE_PATH`: what stands before jeton's own paths, such as the key of a custom domain's mapping. Slashes at its
 * ends may be left out or given; empty and `/` mean that there is none.
 */
export function parseBasePath(text = ''): BasePath {
  const segments = text.replace(/^\/+|\/+$/g, '')
  if (segments === '') return { basePath: '' }
  const basePath = `/${segments}`
  const hasDotSegment = /\/\.{1,2}(?:\/|$)/.test(basePath)
  if (BASE_PATH.test(basePath) && !hasDotSegment) return { basePath }
  return {
    basePath: '',
    problem:
      "must be the path before jeton's own paths, such as /jeton: segments of letters, digits and -._~$+!*'(), without a host, a query or %",
  }
}

export interface OwnPathOptions {
  /** What may stand before the path, each once at most, in any order. Empty ones count for nothing. */
  prefixes: readonly string[]
  /** Whether a route has this path. */
  isKnown(path: string): boolean
}

/**
 * Returns a path without the prefixes that stand before one of jeton's own. Whether API Gateway leaves the stage or the mapping
 * key in front depends on the kind of API, on the domain and on the mapping, so what has a route as it is stays, and so does
 * what has none either way.
 */
export function ownPath(path: string, { prefixes, isKnown }: OwnPathOptions): string {
  function find(rest: string, left: readonly string[]): string | undefined {
    if (isKnown(rest)) return rest
    for (const [i, prefix] of left.entries()) {
      if (!rest.startsWith(`${prefix}/`)) continue
      // by position: a stage may have the name of the mapping key
      const found = find(rest.slice(prefix.length), left.toSpliced(i, 1))
      if (found !== undefined) return found
    }
    return undefined
  }
  const present = prefixes.filter(prefix => prefix !== '')
  return find(path, present) ?? path
}
