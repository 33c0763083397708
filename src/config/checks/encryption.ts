import { createSecretKey, type KeyObject } from 'node:crypto'
import type { EncryptionConfig } from '../config.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'
import type { Files } from '../source/files.ts'

type EncryptionSection = NonNullable<NonNullable<ConfigFile['store']>['encryption']>

const KEY_ID = '(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'
const ALIAS = 'alias/[a-zA-Z0-9/_-]{1,250}'
/** https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id */
const KMS_KEY = new RegExp(
  String.raw`^(?:${KEY_ID}|${ALIAS}|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key/${KEY_ID}|${ALIAS}))$`,
)
/** Keys that AWS's services keep for themselves: nobody else may use them. */
const AWS_MANAGED = /(?:^|:)alias\/aws\//

/** 32 bytes, the key of AES-256. */
const KEY_TEXT = /^[A-Za-z0-9+/]{43}=$/

export async function checkEncryption(
  encryption: EncryptionSection | undefined,
  { files, report }: { files: Files; report: Report },
): Promise<EncryptionConfig | undefined> {
  const { kmsKeyId, keyFile } = encryption ?? {}
  if (kmsKeyId !== undefined && keyFile !== undefined)
    report.problem('has both kmsKeyId and keyFile: give one of them')
  else if (kmsKeyId !== undefined) return checkKmsKey(kmsKeyId, report.at('kmsKeyId'))
  else if (keyFile !== undefined) return readKeys(keyFile, { files, report: report.at('keyFile') })
  else report.problem('is required with type: dynamodb: give kmsKeyId or keyFile')
  return undefined
}

function checkKmsKey(kmsKeyId: string, report: Report): EncryptionConfig {
  if (!KMS_KEY.test(kmsKeyId))
    report.problem(
      'is not of the form it needs: the id of a KMS key, its ARN, alias/NAME or the ARN of an alias',
    )
  else if (AWS_MANAGED.test(kmsKeyId))
    report.problem("is a key that AWS manages for its own services: give one of your account's own")
  return { type: 'kms', kmsKeyId }
}

/** Gives the keys that could be read, so that what goes on with them must have no problem reported. */
async function readKeys(
  keyFile: string | readonly string[],
  { files, report }: { files: Files; report: Report },
): Promise<EncryptionConfig> {
  const places = typeof keyFile === 'string' ? [[keyFile, report] as const] : listed(keyFile, report)
  const found: { key: KeyObject; position: number }[] = []
  for (const [position, [path, here]] of places.entries()) {
    const key = await readKey(path, { files, report: here })
    const twin = key && found.find(other => other.key.equals(key))
    if (twin) here.problem(`is the same key as keyFile[${twin.position}]`)
    if (key) found.push({ key, position })
  }
  return { type: 'files', keys: found.map(({ key }) => key) }
}

function listed(paths: readonly string[], report: Report): (readonly [string, Report])[] {
  return paths.map((path, position) => [path, report.at(position)])
}

async function readKey(
  path: string,
  { files, report }: { files: Files; report: Report },
): Promise<KeyObject | undefined> {
  const text = (await files.read(path, report))?.trim()
  if (text === undefined) return undefined
  if (KEY_TEXT.test(text)) return createSecretKey(text, 'base64')
  report.problem(
    'names a file that is no key: it must hold exactly 32 bytes in base64 (openssl rand -base64 32)',
  )
  return undefined
}
