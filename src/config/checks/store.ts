import { createSecretKey, type KeyObject } from 'node:crypto'
import { partitionOfRegion } from '../../rds/partitions.ts'
import type { EncryptionConfig, StoreConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'
import { readFileText } from './file-text.ts'
import { checkTable } from './table.ts'

type StoreSection = NonNullable<Sections['store']>

interface StoreCheck {
  files: Files
  report: Report
}

const KEY_ID = '(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'
const ALIAS = 'alias/[a-zA-Z0-9/_-]{1,250}'
/** https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id */
const KMS_KEY = new RegExp(
  String.raw`^(?:${KEY_ID}|${ALIAS}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key/${KEY_ID}|${ALIAS}))$`,
)
/** Keys that only AWS's own services may use. */
const AWS_MANAGED = /(?:^|:)alias\/aws\//

/** 32 bytes in base64, a key of AES-256. */
const KEY_TEXT = /^[A-Za-z0-9+/]{43}=$/

/** Returns undefined only if a problem is reported. A store that instances share is always encrypted. */
export async function checkStore(
  { type, encryption, ...table }: StoreSection,
  { files, report }: StoreCheck,
): Promise<StoreConfig | undefined> {
  if (type === 'memory') {
    for (const [key, value] of Object.entries({ ...table, encryption }))
      if (value !== undefined) report.problem('is only allowed with type: dynamodb', key)
    return { type }
  }
  const tableConfig = checkTable(table, report)
  const encryptionConfig = await checkEncryption(encryption, {
    files,
    report: report.at('encryption'),
    region: table.region,
  })
  return tableConfig && encryptionConfig && { type, ...tableConfig, encryption: encryptionConfig }
}

async function checkEncryption(
  encryption: StoreSection['encryption'],
  { files, report, region }: StoreCheck & { region: string | undefined },
): Promise<EncryptionConfig | undefined> {
  const { kmsKeyId, keyFile } = encryption ?? {}
  if (kmsKeyId !== undefined && keyFile !== undefined)
    report.problem('has both kmsKeyId and keyFile: keep only one of them')
  else if (kmsKeyId !== undefined) return checkKmsKey(kmsKeyId, { region, report: report.at('kmsKeyId') })
  else if (keyFile !== undefined) return readKeys(keyFile, { files, report: report.at('keyFile') })
  else report.problem('is required with type: dynamodb: set kmsKeyId or keyFile')
  return undefined
}

function checkKmsKey(
  kmsKeyId: string,
  { region, report }: { region: string | undefined; report: Report },
): EncryptionConfig {
  if (!KMS_KEY.test(kmsKeyId))
    report.problem('is not a KMS key: use its id, its ARN, alias/NAME or the ARN of an alias')
  else if (AWS_MANAGED.test(kmsKeyId))
    report.problem('is a key that AWS manages for its own services: use a customer managed key')
  else {
    const problem = findKeyRegionProblem(kmsKeyId, region)
    if (problem !== undefined) report.problem(problem)
  }
  return { type: 'kms', kmsKeyId }
}

/** KMS is called in the store's region, and knows only the keys of that. */
function findKeyRegionProblem(kmsKeyId: string, storeRegion: string | undefined): string | undefined {
  const [arn, partition = '', , region = ''] = kmsKeyId.split(':')
  if (arn !== 'arn') return undefined
  const home = partitionOfRegion(region)
  if (!home) return `has ${region} in the place of its region: use the ARN that KMS shows`
  if (home.name !== partition)
    return `has the region ${region}, which is in partition ${home.name}, not in ${partition}`
  if (storeRegion === undefined || storeRegion === region) return undefined
  return `is a key in ${region}, but store.region is ${storeRegion}, where KMS is called: use a key of that region`
}

/** Returns the keys that could be read: all of them, unless a problem is reported or files are not read. */
async function readKeys(
  keyFile: string | readonly string[],
  { files, report }: StoreCheck,
): Promise<EncryptionConfig> {
  const paths = typeof keyFile === 'string' ? [keyFile] : keyFile
  const keys: { key: KeyObject; position: number }[] = []
  for (const [position, path] of paths.entries()) {
    const fileReport = typeof keyFile === 'string' ? report : report.at(position)
    const key = await readKey(path, { files, report: fileReport })
    if (key === undefined) continue
    const twin = keys.find(other => other.key.equals(key))
    if (twin) fileReport.problem(`is the same key as keyFile[${twin.position}]: leave one of them out`)
    keys.push({ key, position })
  }
  return { type: 'files', keys: keys.map(({ key }) => key) }
}

async function readKey(path: string, { files, report }: StoreCheck): Promise<KeyObject | undefined> {
  const text = (await readFileText(path, { files, report }))?.trim()
  if (text === undefined) return undefined
  if (KEY_TEXT.test(text)) return createSecretKey(text, 'base64')
  report.problem(
    'names a file that does not contain a key: it must contain exactly 32 bytes in base64 (openssl rand -base64 32)',
  )
  return undefined
}
