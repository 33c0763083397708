import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isJsonObject } from '../../src/lib/json.ts'
import { runCli } from '../support/service/jeton.ts'
import { startTarget } from './target.ts'

/** Somebody with the credentials of jeton's own role, who has what `jeton iam` gives it and no more. */
interface Statement {
  Action: string | string[]
  Resource: string | string[]
  Condition?: object
}

async function ownStatements(): Promise<Statement[]> {
  const { environment } = await startTarget()
  const file = join(environment.folder, 'on-aws.json')
  const onAws = {
    store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } },
    audit: [{ type: 'dynamodb', table: 'jeton-audit' }],
  }
  await writeFile(file, JSON.stringify(environment.config(onAws)))
  const args = ['iam', '--config', file, '--account', '123456789012', '--format', 'json']
  const { stdout, stderr } = await runCli(args, { env: environment.serverEnv })
  if (stdout === '') throw new Error(stderr)
  return findStatements(JSON.parse(stdout)) as Statement[]
}

/** Returns the statements of all policies in a document, without those of a trust policy. */
function findStatements(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(findStatements)
  if (!isJsonObject(value)) return []
  if ('Action' in value && 'Resource' in value) return [value]
  return Object.values(value).flatMap(findStatements)
}

const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action)
const isOnAuditTable = ({ Resource }: Statement) =>
  [Resource].flat().some(arn => /table\/jeton-audit\b/.test(arn))

test('deletes no audit record, nor changes one by an update or a batch', async () => {
  const actions = actionsOf((await ownStatements()).filter(isOnAuditTable))
  expect(actions).toContain('dynamodb:PutItem')
  expect(actions.filter(action => /Batch|Delete|Update|Transact|PartiQL|\*/.test(action))).toEqual([])
})

test('deletes nothing at all, and may do nothing by a wildcard', async () => {
  const statements = await ownStatements()
  expect(actionsOf(statements).filter(action => /Delete|Purge|Schedule|\*/.test(action))).toEqual([])
  expect(statements.filter(({ Resource }) => [Resource].flat().includes('*'))).toEqual([])
})

test('asks KMS only for data keys of this table, each in the context of its own record', async () => {
  const kms = (await ownStatements()).filter(({ Action }) =>
    [Action].flat().some(action => action.startsWith('kms:')),
  )
  expect(actionsOf(kms).toSorted()).toEqual(['kms:Decrypt', 'kms:GenerateDataKey'])
  for (const { Condition } of kms) {
    const text = JSON.stringify(Condition)
    expect(text).toContain('"kms:EncryptionContext:table":"jeton"')
    expect(text).toContain('"kms:EncryptionContext:key":"data-key/*"')
    expect(text).toContain('"kms:EncryptionContextKeys":["service","table","key"]')
  }
})

test('assumes no role that the configuration does not name', async () => {
  const roles = (await ownStatements()).filter(({ Action }) => [Action].flat().includes('sts:AssumeRole'))
  const names = roles.flatMap(({ Resource }) => Resource)
  expect(names.toSorted()).toEqual([
    'arn:aws:iam::123456789012:role/jeton-ledger',
    'arn:aws:iam::123456789012:role/jeton-orders',
  ])
})
