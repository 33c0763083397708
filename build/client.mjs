import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { writeDeclarations } from './declarations.mjs'
import { noticesOf } from './notices.mjs'
import { buildOneFile } from './one-file.mjs'
import { options } from './options.mjs'
import { versionAlone } from './plugins.mjs'

const COMMAND = 'dist/jeton.mjs'
const PACKAGE = 'dist/client'
const LIBRARY = 'src/client/library/index.ts'
const TYPES = 'client/library/index.d.ts'

/**
 * Builds what callers need, without the server: dist/jeton.mjs, their commands in one file, and dist/client/, the package
 * `jeton-client` with that file and the library. The package jeton exports the library, too, from there.
 */
export async function buildClient() {
  await mkdir(PACKAGE, { recursive: true })
  const [command, library] = await Promise.all([
    buildOneFile({ entry: 'handlers/client.ts', outfile: COMMAND }),
    buildLibrary(),
    writeDeclarations({ entry: TYPES, folder: `${PACKAGE}/types` }),
    writeManifest(),
    copyFile('build/client-readme.md', `${PACKAGE}/README.md`),
    copyFile('LICENSE', `${PACKAGE}/LICENSE`),
  ])
  await copyFile(COMMAND, `${PACKAGE}/jeton.mjs`)
  const notices = await noticesOf([command, library])
  await writeFile(
    `${PACKAGE}/THIRD-PARTY-NOTICES`,
    `jeton-client contains parts of these packages:\n\n${notices}`,
  )
}

async function buildLibrary() {
  const { metafile } = await build({
    ...options,
    entryPoints: [LIBRARY],
    outfile: `${PACKAGE}/index.mjs`,
    format: 'esm',
    minify: true,
    legalComments: 'none',
    metafile: true,
    plugins: [versionAlone],
  })
  return metafile
}

async function writeManifest() {
  const { version, license, engines } = JSON.parse(await readFile('package.json', 'utf8'))
  const manifest = {
    name: 'jeton-client',
    version,
    description:
      'Gets Amazon RDS IAM database authentication tokens from a jeton server: a command and a library',
    license,
    type: 'module',
    engines,
    bin: { jeton: 'jeton.mjs' },
    exports: {
      '.': { types: `./types/${TYPES}`, default: './index.mjs' },
      './package.json': './package.json',
    },
    sideEffects: false,
  }
  await writeFile(`${PACKAGE}/package.json`, `${JSON.stringify(manifest, undefined, 2)}\n`)
}
