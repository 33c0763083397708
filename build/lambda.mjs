import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'
import { createLoad, toCommonJs } from './common-js.mjs'
import { options, splitOptions } from './options.mjs'
import { versionAlone } from './plugins.mjs'

const LAMBDA = 'dist/lambda'
const MODULES = 'dist/lambda/modules'
const MAIN = 'main'

/** What Ajv's code says of why a value is refused: most of the code. */
const REASON = /\{instancePath[^{}]*params:\{[^{}]*\}\}/g

/** Bundles a source module with the packages that it uses, and imports it. */
async function importSource(path) {
  const { outputFiles } = await build({ ...options, format: 'esm', entryPoints: [path], write: false })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

/** Computes at build time what would slow each cold start: the validators, and the root certificates of RDS. */
const precomputed = {
  name: 'precomputed',
  setup({ onEnd, onLoad }) {
    let rootPems
    onLoad({ filter: /[\\/]src[\\/](config|http)[\\/](fast-)?validator\.ts$/ }, async ({ path }) => {
      const source = await importSource(path)
      const ajv = new Ajv({ ...source.options, code: { source: true, esm: true } })
      const code = standaloneCode(ajv, ajv.compile(source.schema))
      const isSilent = source.options.messages === false
      return { contents: isSilent ? code.replace(REASON, '0') : code, resolveDir: dirname(path) }
    })
    onLoad({ filter: /[\\/]src[\\/]rds[\\/]root-pems\.ts$/ }, async ({ path }) => {
      const { readRootPems } = await importSource(path)
      rootPems = JSON.stringify(readRootPems())
      // as JSON, since Node takes four times as long to parse it as code
      return {
        contents: `import { readFileSync } from 'node:fs'
          export const readRootPems = () => JSON.parse(readFileSync(__dirname + '/root-pems.json', 'utf8'))`,
      }
    })
    onEnd(() => writeFile(join(LAMBDA, 'root-pems.json'), rootPems))
  },
}

/**
 * Replaces packages that Lambda never calls, for each file costs the cold start time to load and parse. Of Fastify: the schema
 * compilers (src/http/schema-controller.ts replaces them), the logger, HTTP/2 and the trust in proxies. Of the AWS SDK: the
 * credential providers that a function has no use for. And metrics to be scraped, with OpenTelemetry's API, which comes with
 * their library: a function has no registry. Calling one of them throws.
 */
const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    const names = [
      '@fastify/(ajv-compiler|fast-json-stringify-compiler|proxy-addr)',
      './logger-pino.js',
      './prometheus.ts',
      'node:http2',
      '@aws-sdk/credential-provider-(ini|login|process|sso|web-identity)',
    ]
    onResolve({ filter: new RegExp(`^(${names.join('|')})$`) }, ({ path, importer }) =>
      path === 'node:http2' && !importer.includes('fastify') ? undefined : { path, namespace: 'left-out' },
    )
    onLoad({ filter: /./, namespace: 'left-out' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error('${path} is not in this bundle') }`,
    }))
  },
}

/**
 * Builds dist/lambda/, which contains everything that it needs: index.mjs, which Lambda loads, runs the modules beside it as
 * they are needed.
 */
export async function buildLambda() {
  await mkdir(MODULES, { recursive: true })
  const { outputFiles } = await build({
    ...splitOptions,
    minify: true,
    entryPoints: { [MAIN]: 'handlers/lambda.ts' },
    outdir: MODULES,
    chunkNames: '[name]-[hash]',
    outExtension: {},
    define: { 'import.meta.dirname': '__dirname' },
    write: false,
    plugins: [precomputed, leftOut, versionAlone],
  })
  await writeFile(
    join(LAMBDA, 'index.mjs'),
    `${createLoad}\nexport const handler = await (${start})(createLoad, import.meta.dirname)\n`,
  )
  for (const { path, text } of outputFiles) await writeFile(path, await toCommonJs(text))
}

/** Is the end of index.mjs: Lambda calls the handler when it has resolved. */
function start(createLoad, folder) {
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const load = createLoad(
    name => (name.startsWith('./') ? readFileSync(`${folder}/modules/${name}`, 'utf8') : undefined),
    folder,
  )
  return load('./main.js').handler
}
