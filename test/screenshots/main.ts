import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMissing } from '../support/databases/install.ts'
import { startScene } from './scene.ts'
import { takePictures } from './take.ts'

/** `npm run screenshots`: writes docs/console/ from a run of the built server with stand-ins, in a real browser. */
const [missing] = await findMissing(['chromium'])
if (missing) throw new Error(missing.reason)
const folder = await mkdtemp(join(tmpdir(), 'jeton-screenshots-'))
const scene = await startScene(folder)
try {
  for (const { name, png } of await takePictures(scene))
    await writeFile(new URL(`../../docs/console/${name}.png`, import.meta.url), png)
} finally {
  await scene.server.close()
  await rm(folder, { recursive: true, force: true })
}
