import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { problemsOf, sound, withAudit, written } from '../support.ts'

const TABLE = { type: 'dynamodb', table: 'jeton-audit' }

describe('checkAudit', () => {
  test.each([
    [[{ type: 'file' }], 'audit[0].path: is required with type: file'],
    [[{ type: 'stdout', path: 'x' }], 'audit[0].path: is only allowed with type: file'],
    [
      [{ type: 'stdout' }, { type: 'stdout' }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
    [
      [{ type: 'kafka' }, { type: 'file', path: 'a' }, { type: 'stdout' }, { type: 'file', path: './a' }],
      [
        'audit[0].type: must be one of stdout, file, dynamodb',
        'audit[3]: is the same sink as audit[1]: leave one of them out',
      ],
    ],
    [[], 'audit: must not be empty'],
    [[{ type: 'dynamodb' }], 'audit[0].table: is required with type: dynamodb'],
    [[{ ...TABLE, path: 'x' }], 'audit[0].path: is only allowed with type: file'],
    [
      [{ type: 'stdout', table: 'jeton-audit', region: 'us-east-1', retentionDays: 7 }],
      ['table', 'region', 'retentionDays'].map(key => `audit[0].${key}: is only allowed with type: dynamodb`),
    ],
    [[{ ...TABLE, retentionDays: 0 }], 'audit[0].retentionDays: must be from 1 to 36500'],
    [[{ ...TABLE, region: 'mars' }], 'audit[0].region: is not an AWS region, such as us-east-1'],
    [
      [TABLE, { ...TABLE, retentionDays: 7 }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
    [
      [TABLE, { ...TABLE, region: 'us-east-1' }],
      'audit[1]: is the same sink as audit[0]: leave one of them out',
    ],
  ])('rejects %j', async (audit, problems) => {
    expect(await problemsOf(withAudit(audit))).toEqual([problems].flat())
  })

  test('accepts tables of one name in two regions', async () => {
    const audit = ['us-east-1', 'eu-west-1'].map(region => ({ ...TABLE, region, retentionDays: 400 }))
    expect((await loadConfig(await written({ ...sound(), audit }))).audit).toEqual(audit)
  })

  test.each([
    [{}, {}],
    [{ region: 'us-east-1' }, {}],
    [{ region: 'us-east-1' }, { region: 'us-east-1' }],
  ])("rejects the store's table: %j, %j", async (ofStore, ofAudit) => {
    const store = { ...TABLE, ...ofStore, encryption: { kmsKeyId: 'alias/jeton' } }
    const audit = [{ type: 'stdout' }, { ...TABLE, ...ofAudit }]
    expect(await problemsOf(config => ({ ...config, store, audit }))).toEqual([
      "audit[1].table: is also the store's table: the sink needs a table of its own",
    ])
  })
})
