// Makes dist/: the CLI that package.json's bin names, whose dependencies are those of the package, and dist/lambda/, which
// is complete in itself.
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'

const LAMBDA = 'dist/lambda'

const common = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
}

/** A module of the sources, with the packages it uses. */
async function imported(path) {
  const options = { ...common, splitting: false, entryPoints: [path], outdir: '.', write: false }
  const { outputFiles } = await build(options)
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

/** What is always the same is worked out here, and not at each cold start: validators, and the roots of RDS's certificates. */
const precomputed = {
  name: 'precomputed',
  setup({ onEnd, onLoad }) {
    let rootPems
    onLoad({ filter: /[\\/]src[\\/](config|http)[\\/](fast-)?validator\.ts$/ }, async ({ path }) => {
      const { schema, options } = await imported(path)
      const ajv = new Ajv({ ...options, code: { source: true, esm: true } })
      return { contents: standaloneCode(ajv, ajv.compile(schema)), resolveDir: dirname(path) }
    })
    onLoad({ filter: /[\\/]src[\\/]rds[\\/]root-pems\.ts$/ }, async ({ path }) => {
      const { readRootPems } = await imported(path)
      rootPems = JSON.stringify(readRootPems())
      // as JSON, for Node parses code four times as long; from index.mjs, which this is a part of
      return {
        contents: `import { readFileSync } from 'node:fs'
          export const readRootPems = () => JSON.parse(readFileSync(new URL('./root-pems.json', import.meta.url), 'utf8'))`,
      }
    })
    onEnd(() => writeFile(join(LAMBDA, 'root-pems.json'), rootPems))
  },
}

/**
 * What is not used on Lambda, and would be files to load and lines to parse. Of Fastify: its compilers, for
 * src/http/schema-controller.ts is in their place; its logger; what it listens and believes proxies by. Of the AWS SDK: the ways to
 * credentials of other machines.
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

await rm('dist', { recursive: true, force: true })
await build({
  ...common,
  entryPoints: { cli: 'handlers/cli.ts' },
  outdir: 'dist',
  packages: 'external',
  sourcemap: true,
})
await build({
  ...common,
  minify: true,
  // the packages' ES modules first: what is not used of those falls away
  mainFields: ['module', 'main'],
  sourcemap: 'linked',
  // for what is required
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  entryPoints: { index: 'handlers/lambda.ts' },
  outdir: LAMBDA,
  plugins: [precomputed, leftOut],
})
