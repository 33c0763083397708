import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { FileEnd } from './file-end.ts'
import { holdsHash } from './hash-chain.ts'
import { readEndOf, rotatedFiles } from './rotated-files.ts'

const MAX_MISSING = 100

/** Records that were in the audit file and are in it no more, nor in a file that it was rotated into. */
export interface MissingRecords {
  /**
   * Call with the hashes of the last records if others changed the file. What neither `ends` nor the files beside it have
   * is missing from then on.
   */
  expect(hashes: readonly string[], ends: readonly FileEnd[]): Promise<void>
  /** Looks again for what is missing, and logs what still is: once a minute, so that alarms last as long as the fault. */
  report(): Promise<void>
}

/** Returns a watch over the file at `path`, from which nothing is missing so far. While something is, health is degraded. */
export function watchMissingRecords({
  path,
  log,
  health,
}: {
  path: string
  log: Log
  health: Health
}): MissingRecords {
  const of = `file ${path}: missing records`
  let missing: readonly string[] = []

  function logMissing(): void {
    health.report('log', { ok: false, of })
    log.error(
      { event: 'audit_tail_missing', path, expected: missing.at(-1), records: missing.length },
      MISSING,
    )
  }

  return {
    async expect(hashes, ends) {
      const lost = hashes.filter(hash => !missing.includes(hash) && !ends.some(end => end.containsHash(hash)))
      const notFound = lost.length > 0 ? await findMissing(lost, path) : []
      if (notFound.length === 0) return
      missing = [...missing, ...notFound].slice(-MAX_MISSING)
      logMissing()
    },
    async report() {
      if (missing.length === 0) return
      missing = await findMissing(missing, path)
      if (missing.length > 0) return logMissing()
      health.report('log', { ok: true, of })
      log.info(
        { event: 'audit_tail_found', path },
        'the records that the audit file lacks are in a file beside it',
      )
    },
  }
}

/** Returns those of `hashes` that no record has near the end of the audit file, or of a file beside it with such a name. */
async function findMissing(hashes: readonly string[], path: string): Promise<readonly string[]> {
  let missing = hashes
  for (const file of [path, ...(await rotatedFiles(path))]) {
    if (missing.length === 0) break
    const bytes = await readEndOf(file)
    missing = missing.filter(hash => !holdsHash(bytes, hash))
  }
  return missing
}

const MISSING =
  'the audit file lacks the last record that was written, and no file beside it has it: its end was cut off, or it was emptied while jeton wrote to it; compare it with a copy, and rotate it by renaming it'
