import { writeFile } from 'node:fs/promises'
import { findMissing } from '../support/databases/install.ts'
import { renderRecording } from './svg.ts'
import { recordDemo } from './transcript.ts'

/** `npm run demo:record`: writes docs/demo.svg from a run of the built demo. Needs PostgreSQL, which the recording shows. */
const missing = await findMissing(['postgres', 'psql'])
if (missing.length > 0) throw new Error(missing.map(({ reason }) => reason).join(', '))
await writeFile(new URL('../../docs/demo.svg', import.meta.url), renderRecording(await recordDemo()))
