import { expect, test } from 'vitest'
import { sqlCommand } from '../../src/cli/sql.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { sound, written } from '../config/support.ts'
import { recordedOutput } from './streams.ts'

async function sql(database: string, user?: string) {
  const io = recordedOutput()
  const exitCode = await sqlCommand({ configPath: await written(sound()), database, user }, io)
  const statements = io.stdout().replace(/^--.*\n/gm, '')
  return { exitCode, statements, stderr: io.stderr() }
}

test('prints what makes all the users of a database', async () => {
  expect(await sql('orders')).toEqual({
    exitCode: 0,
    statements:
      'CREATE USER "app_ro" WITH LOGIN;\nGRANT rds_iam TO "app_ro";\n' +
      'CREATE USER "migrator" WITH LOGIN;\nGRANT rds_iam TO "migrator";\n',
    stderr: '',
  })
})

test('prints what makes one of them', async () => {
  const { statements } = await sql('orders', 'migrator')
  expect(statements).toBe('CREATE USER "migrator" WITH LOGIN;\nGRANT rds_iam TO "migrator";\n')
})

test.each([
  ['order', undefined, 'jeton: there is no database of that name (orders)\n'],
  ['orders', 'x"; --', 'jeton: --user: orders is configured with no such user (app_ro, migrator)\n'],
])('refuses %s and %s, which are not configured', async (database, user, stderr) => {
  expect(await sql(database, user)).toEqual({ exitCode: 2, statements: '', stderr })
})

test('takes no broken configuration', async () => {
  const configPath = await written({})
  await expect(sqlCommand({ configPath, database: 'orders' }, recordedOutput())).rejects.toThrow(ConfigError)
})
