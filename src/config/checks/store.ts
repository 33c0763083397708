import type { StoreConfig } from '../config.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'
import type { Files } from '../source/files.ts'
import { checkEncryption } from './encryption.ts'
import { checkTable } from './table.ts'

type StoreSection = NonNullable<ConfigFile['store']>

/** Gives undefined only where a problem is reported. There is no store that others can read without `encryption`. */
export async function checkStore(
  { type, encryption, ...table }: StoreSection,
  { files, report }: { files: Files; report: Report },
): Promise<StoreConfig | undefined> {
  if (type === 'memory') {
    for (const [key, value] of Object.entries({ ...table, encryption }))
      if (value !== undefined) report.problem('goes with type: dynamodb alone', key)
    return { type }
  }
  const place = checkTable(table, report)
  const sealing = await checkEncryption(encryption, { files, report: report.at('encryption') })
  return place && sealing && { type, ...place, encryption: sealing }
}
