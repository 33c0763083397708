import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'
import { options, splitOptions } from './options.mjs'

const LAMBDA = 'dist/lambda'

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
      return { contents: standaloneCode(ajv, ajv.compile(source.schema)), resolveDir: dirname(path) }
    })
    onLoad({ filter: /[\\/]src[\\/]rds[\\/]root-pems\.ts$/ }, async ({ path }) => {
      const { readRootPems } = await importSource(path)
      rootPems = JSON.stringify(readRootPems())
      // as JSON, since Node takes four times as long to parse it as code; the path is relative to index.mjs
      return {
        contents: `import { readFileSync } from 'node:fs'
          export const readRootPems = () => JSON.parse(readFileSync(new URL('./root-pems.json', import.meta.url), 'utf8'))`,
      }
    })
    onEnd(() => writeFile(join(LAMBDA, 'root-pems.json'), rootPems))
  },
}

/**
 * Replaces packages that Lambda never calls, for each file costs the cold start time to load and parse. Of Fastify: the schema
 * compilers (src/http/schema-controller.ts replaces them), the logger, HTTP/2 and the trust in proxies. Of the AWS SDK: the
 * credential providers that a function has no use for. Calling one of them throws.
 */
const leftOut = {
  name: 'left-out',
  setup({ onLoad, onResolve }) {
    const names = [
      '@fastify/(ajv-compiler|fast-json-stringify-compiler|proxy-addr)',
      './logger-pino.js',
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

/** Builds dist/lambda/, which contains everything that it needs. */
export async function buildLambda() {
  await build({
    ...splitOptions,
    minify: true,
    sourcemap: 'linked',
    // for CommonJS packages, which call require
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    entryPoints: { index: 'handlers/lambda.ts' },
    outdir: LAMBDA,
    plugins: [precomputed, leftOut],
  })
}
