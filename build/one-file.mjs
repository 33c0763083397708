import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { build, transform } from 'esbuild'
import { createLoad, toCommonJs } from './common-js.mjs'
import { licenseComment } from './notices.mjs'
import { splitOptions } from './options.mjs'
import { leftOut, loadedByCalls, versionAlone } from './plugins.mjs'

const MAIN = 'main'
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
  const numbered = ({ text }) =>
    text.replace(IMPORTED, (_, name) => JSON.stringify(numbers.get(name) ?? name))
  const texts = await Promise.all(outputFiles.map(file => toCommonJs(numbered(file))))
  const { engines } = JSON.parse(await readFile('package.json', 'utf8'))
  const parameters = [texts, numbers.get(`${MAIN}.js`), engines.node.replace('>=', '')]
  const program = `(${run})(${createLoad},${parameters.map(value => JSON.stringify(value)).join()})`
  const { code } = await transform(program, { minify: true, target: splitOptions.target })
  await writeFile(outfile, `#!/usr/bin/env node\n${code}${await licenseComment(metafile)}`, { mode: 0o755 })
  return metafile
}

/** Is the beginning of the file: runs a program by the texts of its modules, which call each other by number. */
function run(createLoad, texts, main, oldestNode) {
  if (!process.getBuiltinModule) {
    process.stderr.write(`jeton: needs Node ${oldestNode} or later, and this is ${process.versions.node}\n`)
    process.exit(1)
  }
  createLoad(name => texts[name])(main)
}
