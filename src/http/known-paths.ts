import type { App } from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether a route has this path, for whatever method; for a path as it stands in a request, without a query. */
    hasPath(path: string): boolean
  }
}

/** Returns the methods of the routes that have a path; undefined if there are none. */
export type MethodsOf = (path: string) => readonly string[] | undefined

/** Remembers the paths of all routes that are added from now on, for `app.hasPath` too. */
export function rememberPaths(app: App): MethodsOf {
  const paths = new Map<string, { pattern: RegExp; methods: string[] }>()
  app.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: [] }
    path.methods.push(...[method].flat())
    paths.set(url, path)
  })

  function methodsOf(path: string): readonly string[] | undefined {
    const decoded = decode(path)
    return [...paths.values()].find(({ pattern }) => pattern.test(decoded))?.methods
  }

  app.decorate('hasPath', path => methodsOf(path) !== undefined)
  return methodsOf
}

/** Returns the pattern of a route's path, in which `:NAME` is any text without a slash. */
function patternOf(url: string): RegExp {
  const literals = url.split(/:\w+/).map(part => part.replaceAll('.', '\\.'))
  return new RegExp(`^${literals.join('[^/]+')}$`)
}

/** Returns a path as the router sees it: an encoded slash stays encoded. */
function decode(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
