import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What the build makes: `npm test` builds it first. */
const BUNDLE = fileURLToPath(new URL('../../dist/lambda/', import.meta.url))

test.each(['opentelemetry', 'prom-client', 'Histogram', 'html-template', 'typebox'])(
  'the bundle has nothing of %s',
  async name => {
    const files = await readdir(BUNDLE, { recursive: true, withFileTypes: true })
    const code = files.filter(file => file.isFile() && /\.m?js$/.test(file.name))
    expect(code.length).toBeGreaterThan(10)
    for (const file of code) {
      const text = await readFile(join(file.parentPath, file.name), 'utf8')
      expect(text.includes(name), `${file.name} has something of ${name}`).toBe(false)
    }
  },
)
