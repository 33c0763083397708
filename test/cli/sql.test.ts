import { describe, expect, test } from 'vitest'
import { sqlCommand } from '../../src/cli/sql.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { sound, written as writtenConfig } from '../config/support.ts'
import { recordStreams } from './record-streams.ts'

async function sql(database: string, user?: string) {
  const { streams, written } = recordStreams()
  const exitCode = await sqlCommand({ configPath: await writtenConfig(sound()), database, user }, streams)
  const statements = written.stdout.replace(/^--.*\n/gm, '')
  return { exitCode, statements, stderr: written.stderr }
}

describe('jeton sql', () => {
  test('prints the SQL that creates all users of a database', async () => {
    expect(await sql('orders')).toEqual({
      exitCode: 0,
      statements:
        'CREATE USER "app_ro" WITH LOGIN;\nGRANT rds_iam TO "app_ro";\n' +
        'CREATE USER "migrator" WITH LOGIN;\nGRANT rds_iam TO "migrator";\n',
      stderr: '',
    })
  })

  test('prints the SQL that creates one of them', async () => {
    const { statements } = await sql('orders', 'migrator')
    expect(statements).toBe('CREATE USER "migrator" WITH LOGIN;\nGRANT rds_iam TO "migrator";\n')
  })

  test.each([
    ['order', undefined, 'no database of that name; it has: orders\n'],
    ['orders', 'x"; --', '--user: orders has no configured user of that name; it has: app_ro, migrator\n'],
  ])('refuses %s and %s, which are not configured', async (database, user, message) => {
    expect(await sql(database, user)).toEqual({
      exitCode: 2,
      statements: '',
      stderr: expect.stringContaining(message),
    })
  })

  test('throws ConfigError for a broken configuration', async () => {
    const configPath = await writtenConfig({})
    const { streams } = recordStreams()
    await expect(sqlCommand({ configPath, database: 'orders' }, streams)).rejects.toThrow(ConfigError)
  })
})
