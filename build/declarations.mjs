import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const TSC = 'node_modules/typescript/bin/tsc'
const RELATIVE_IMPORT = /(?<=\b(?:from |import\()')(\.[^']*)\.ts(?=')/g

/**
 * Writes to `folder` the declarations of what build/client-types.json names, laid out as src/ is: that of `entry`, such as
 * `client/library/index.d.ts`, and those that it refers to, but none of what lies behind them.
 */
export async function writeDeclarations({ entry, folder }) {
  const all = await mkdtemp(join(tmpdir(), 'jeton-types-'))
  try {
    await promisify(execFile)(process.execPath, [TSC, '-p', 'build/client-types.json', '--outDir', all])
    const written = new Set()
    await write(entry)

    async function write(path) {
      if (written.has(path)) return
      written.add(path)
      const text = await readFile(join(all, path), 'utf8')
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text.replace(RELATIVE_IMPORT, '$1.js'))
      for (const [, name] of text.matchAll(RELATIVE_IMPORT)) await write(join(dirname(path), `${name}.d.ts`))
    }
  } finally {
    await rm(all, { recursive: true, force: true })
  }
}
