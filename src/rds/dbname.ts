import type { Engine } from './database.ts'

/** PostgreSQL counts bytes, and cuts off what is longer; the others count characters. */
const MAX_LENGTH: Readonly<Record<Engine, { length(name: string): number; max: number; unit: string }>> = {
  postgres: { length: name => Buffer.byteLength(name), max: 63, unit: 'bytes' },
  mysql: { length: name => name.length, max: 64, unit: 'characters' },
  mariadb: { length: name => name.length, max: 64, unit: 'characters' },
}

/**
 * Returns why callers cannot connect to a database of this name, or undefined. The name becomes an environment variable of the
 * caller's command, which cannot hold U+0000. Does not check that the database exists.
 */
export function findDbnameProblem(name: string, engine: Engine): string | undefined {
  if (name === '' || /\p{Cc}/u.test(name)) return 'is empty or contains control characters'
  const { length, max, unit } = MAX_LENGTH[engine]
  if (length(name) > max) return `is longer than the ${max} ${unit} that ${engine} allows`
  // clients that get it as an argument connect to the host that it names, which is not that of the token
  if (engine === 'postgres' && (name.includes('=') || /^postgres(?:ql)?:\/\//.test(name)))
    return 'is a connection string: write only the name of the database'
  if (name === 'rdsadmin') return 'is rdsadmin, which belongs to RDS itself: name a database of your own'
  if (engine === 'postgres' && name === 'template0') return 'is template0, which accepts no connections'
  return undefined
}
