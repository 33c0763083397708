import { expect, test } from 'vitest'
import { type KmsKeyId, parseKmsKeyId } from '../../src/iam/kms-key-id.ts'

const location = { partition: 'aws-cn', region: 'cn-north-1', account: '123456789012' }
const arn = (name: string) => `arn:aws-cn:kms:cn-north-1:123456789012:${name}`

test.each<[string, KmsKeyId]>([
  ['1234abcd-12ab-34cd-56ef-1234567890ab', { keyId: '1234abcd-12ab-34cd-56ef-1234567890ab' }],
  ['alias/a/b', { alias: 'alias/a/b' }],
  [arn('key/mrk-1'), { location, keyId: 'mrk-1' }],
  [arn('alias/a/b'), { location, alias: 'alias/a/b' }],
  // a wildcard would allow other keys
  [arn('key/*'), { keyId: arn('key/*') }],
])('parseKmsKeyId reads %s as %j', (text, expected) => {
  expect(parseKmsKeyId(text)).toEqual(expected)
})
