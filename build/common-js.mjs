import { transform } from 'esbuild'
import { options } from './options.mjs'

const { target } = options
/** A function that esbuild puts before a module so that it can export and import. */
const HELPER =
  /^var __(?:create|defProp|get\w+|hasOwnProp|export|copyProps|toESM|toCommonJS) = (?:.*;|[\s\S]*?^\S*;)$\n?/gm
/** Those that `createLoad` has in place of them. */
const PROVIDED = ['__export', '__toCommonJS', '__toESM']

/** The first line of a CommonJS package, which esbuild makes a function that is called when the package is first needed. */
const PACKAGE = /^(\S.* = (?:\(0, \w+\.\w+\)|[\w$]+)\()(\([\w$, ]*\) => \{)$/
const PACKAGE_END = /^\}(?=\))/
/** Stands before a parenthesis that must stay. */
const KEPT = '__KEPT__'

/**
 * Returns an ES module that esbuild has bundled as the body of a function, which `createLoad` runs. Node takes longer to load
 * ES modules: each is read and linked by itself, and what they import of Node's own is wrapped with all its exports, some of
 * which load much more. Throws if it reads `import.meta`.
 */
export async function toCommonJs(text) {
  const { code } = await transform(text.replace(/^#!.*\n/, ''), {
    format: 'cjs',
    target,
    supported: { 'dynamic-import': false },
    // it would be empty
    logOverride: { 'empty-import-meta': 'error' },
  })
  const minified = await transform(compiledAtOnce(withoutHelpers(code)), { minify: true, target })
  return minified.code.replaceAll(`${KEPT}(`, '(')
}

/**
 * Puts parentheses around the function of each package. That makes V8 compile it when it compiles the module, instead of parsing
 * all of it twice: nearly every package in a module is needed.
 */
function compiledAtOnce(code) {
  let isInPackage = false
  const lines = code.split('\n').map(line => {
    const ended = isInPackage ? line.replace(PACKAGE_END, '})') : line
    isInPackage = isInPackage && ended === line
    const begun = isInPackage ? line : ended.replace(PACKAGE, `$1${KEPT}($2`)
    isInPackage = isInPackage || begun !== ended
    return begun
  })
  return lines.join('\n')
}

/**
 * Returns the code of a module without esbuild's helpers, which would be a fifth of it: `createLoad` has them for all. Throws if
 * one that is left needs another that is not: esbuild then has other helpers than these.
 */
export function withoutHelpers(code) {
  const own = code.replace(HELPER, '')
  for (const [, name] of code.matchAll(/^var (__\w+) =/gm))
    if (!PROVIDED.includes(name) && new RegExp(`\\b${name}\\b`).test(own))
      throw new Error(`build/common-js.mjs does not know esbuild's ${name}, or what uses it`)
  return own
}

/**
 * Is part of what is built: returns a function that runs a module of `toCommonJs` unless it has run, and returns what it exports.
 * `textOf` returns its code, or undefined for what Node has built in. Nothing is compiled before it is needed.
 */
export function createLoad(textOf, folder) {
  const { compileFunction } = process.getBuiltinModule('node:vm')
  const modules = {}
  const own = new Set()
  const helpers = {
    __export(target, all) {
      for (const name in all) Object.defineProperty(target, name, { get: all[name], enumerable: true })
    },
    __toCommonJS(exports) {
      own.add(exports)
      return exports
    },
    // what Node has built in is its own default export
    __toESM: exports =>
      own.has(exports) ? exports : Object.create(exports, { default: { value: exports } }),
  }
  const parameters = ['module', 'exports', 'require', '__dirname', ...Object.keys(helpers)]
  return function load(name) {
    if (modules[name]) return modules[name].exports
    const text = textOf(name)
    if (text === undefined) return builtIn(name)
    const module = { exports: {} }
    modules[name] = module
    try {
      const start = compileFunction(text, parameters, { filename: `jeton/${name.replace('./', '')}` })
      start(module, module.exports, load, folder, ...Object.values(helpers))
    } catch (cause) {
      // as require does: whoever needs it next must not get the half of it
      delete modules[name]
      throw cause
    }
    return module.exports
  }

  // packages try some that older releases of Node have not, and read the code
  function builtIn(name) {
    const found = process.getBuiltinModule(name)
    if (found) return found
    throw Object.assign(new Error(`Node has no ${name}`), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' })
  }
}
