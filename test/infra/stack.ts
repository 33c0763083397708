import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Template } from './cloudformation.ts'
import { OSLS } from './osls.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SOURCES = [
  ...['src', 'handlers', 'infra', 'build', 'build.mjs'],
  ...['serverless.yml', 'package.json', 'tsconfig.json', 'LICENSE'],
]

/** A copy of the repository to package in, with a configuration of its own. */
export interface Checkout {
  readonly folder: string
  /** Runs `osls package` without network or credentials. Returns what it printed; rejects if it fails. */
  osls(...params: string[]): Promise<string>
  /** The template that would be deployed. */
  template(): Promise<Template>
  /** The names in the zip. */
  packaged(): Promise<string[]>
  close(): Promise<void>
}

/** `files` are texts, or values to write as JSON. They replace files of the repository with the same name. */
export async function checkout(files: Readonly<Record<string, object | string>>): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-stack-'))
  const filter = (path: string) => basename(path) !== 'node_modules'
  await Promise.all(
    SOURCES.map(name => cp(join(ROOT, name), join(folder, name), { recursive: true, filter })),
  )
  for (const name of ['node_modules', 'infra/node_modules'])
    await symlink(join(ROOT, name), join(folder, name))
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  const outputFile = (name: string) => join(folder, '.serverless', name)
  return {
    folder,
    osls: (...params) =>
      run(folder, [
        join(OSLS, 'bin', 'serverless.js'),
        'package',
        ...params.map(param => `--param=${param}`),
      ]),
    template: async () =>
      JSON.parse(await readFile(outputFile('cloudformation-template-update-stack.json'), 'utf8')) as Template,
    packaged: async () => namesInZip(await readFile(outputFile('jeton.zip'))),
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

function run(folder: string, args: readonly string[]): Promise<string> {
  // no variables of AWS, and a home without a profile
  const env = { PATH: process.env.PATH ?? '', HOME: folder, SLS_TELEMETRY_DISABLED: '1', CI: 'true' }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...args], { cwd: folder, env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}${stderr}`))
      else resolve(`${stdout}${stderr}`)
    })
  })
}

/** From its central directory (APPNOTE.TXT, 4.3.12). */
function namesInZip(zip: Buffer): string[] {
  const names: string[] = []
  const end = zip.lastIndexOf('PK\x05\x06')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map(field => zip.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ]
    names.push(zip.toString('utf8', at + 46, at + 46 + name))
    at += 46 + name + extra + comment
  }
  return names
}
