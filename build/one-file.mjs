import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { build, transform } from 'esbuild'
import { licenseComment } from './notices.mjs'
import { splitOptions } from './options.mjs'
import { leftOut, loadedByCalls, versionAlone } from './plugins.mjs'

const MAIN = 'main'
/** A function that esbuild puts before a module so that it can export and import. */
const HELPER =
  /^var __(?:create|defProp|get\w+|hasOwnProp|export|copyProps|toESM|toCommonJS) = (?:.*;|[\s\S]*?^\S*;)$\n?/gm
/** Those that `run` has in place of them. */
const PROVIDED = ['__export', '__toCommonJS', '__toESM']
const IMPORTED = /"\.\/(\w+\.js)"/g

/**
 * Bundles a program into one executable file that is complete in itself, with its licences at the end. It runs under any name,
 * whether Node takes it for an ES module or for CommonJS. Returns esbuild's metafile.
 *
 * Its modules are texts, each of which is compiled when it is first needed: Node would parse all of the file at each start,
 * which takes longer than most commands run.
 */
export async function buildOneFile({ entry, outfile }) {
  const { metafile, outputFiles } = await build({
    ...splitOptions,
    entryPoints: { [MAIN]: entry },
    outdir: '.',
    chunkNames: '[hash]',
    outExtension: {},
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    plugins: [leftOut, loadedByCalls, versionAlone],
  })
  // esbuild's names and order come from more than the code, and differ between releases of Node: numbers do not
  const ownText = ({ text }) => text.replace(IMPORTED, '')
  outputFiles.sort((one, other) => (ownText(one) < ownText(other) ? -1 : 1))
  const numbers = new Map(outputFiles.map(({ path }, index) => [basename(path), String(index)]))
  const modules = outputFiles.map(({ text }) => toCommonJs(text, name => numbers.get(name) ?? name))
  const texts = await Promise.all(modules)
  const { engines } = JSON.parse(await readFile('package.json', 'utf8'))
  const parameters = [texts, numbers.get(`${MAIN}.js`), engines.node.replace('>=', '')]
  const program = `(${run})(${parameters.map(value => JSON.stringify(value)).join()})`
  const { code } = await transform(program, { minify: true, target: splitOptions.target })
  await writeFile(outfile, `#!/usr/bin/env node\n${code}${await licenseComment(metafile)}`, { mode: 0o755 })
  return metafile
}

async function toCommonJs(text, nameOf) {
  const renamed = text.replace(IMPORTED, (_, name) => JSON.stringify(nameOf(name)))
  const { target } = splitOptions
  const { code } = await transform(renamed.replace(/^#!.*\n/, ''), {
    format: 'cjs',
    target,
    supported: { 'dynamic-import': false },
  })
  return (await transform(withoutHelpers(code), { minify: true, target })).code
}

/**
 * Returns the code of a module without esbuild's helpers, which would be a fifth of it: `run` has them for all. Throws if one that
 * is left needs another that is not: esbuild then has other helpers than these.
 */
export function withoutHelpers(code) {
  const own = code.replace(HELPER, '')
  for (const [, name] of code.matchAll(/^var (__\w+) =/gm))
    if (!PROVIDED.includes(name) && new RegExp(`\\b${name}\\b`).test(own))
      throw new Error(`build/one-file.mjs does not know esbuild's ${name}, or what uses it`)
  return own
}

/** Is the beginning of the file: runs a program by the texts of its modules, which call each other by number. */
function run(texts, main, oldestNode) {
  if (!process.getBuiltinModule) {
    process.stderr.write(`jeton: needs Node ${oldestNode} or later, and this is ${process.versions.node}\n`)
    process.exit(1)
  }
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
  const parameters = ['module', 'exports', 'require', ...Object.keys(helpers)]
  load(main)

  function load(name) {
    const text = texts[name]
    if (text === undefined) return process.getBuiltinModule(name)
    if (modules[name]) return modules[name].exports
    const module = { exports: {} }
    modules[name] = module
    const start = compileFunction(text, parameters, { filename: `jeton/${name}.js` })
    start(module, module.exports, load, ...Object.values(helpers))
    return module.exports
  }
}
