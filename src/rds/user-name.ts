import type { Engine } from './database.ts'

/** PostgreSQL cuts names by bytes, the others count characters. */
const LONGEST_USER: Readonly<Record<Engine, { length(user: string): number; max: number; unit: string }>> = {
  postgres: { length: user => Buffer.byteLength(user), max: 63, unit: 'bytes' },
  mysql: { length: user => user.length, max: 32, unit: 'characters' },
  mariadb: { length: user => user.length, max: 80, unit: 'characters' },
}

/**
 * Why a database user may not be in the configuration, or undefined: `databaseUserArn` puts the name into a policy as it
 * is, where *, ? and $ mean more than themselves. That the account exists is not checked. A session policy has no
 * characters beyond U+00FF: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function userProblem(user: string, engine: Engine): string | undefined {
  const { length, max, unit } = LONGEST_USER[engine]
  if (user === '') return 'is empty'
  if (/[*?$]/.test(user)) return 'has *, ? or $ in it, which would widen the policy to other users'
  if (/\p{Cc}/u.test(user)) return 'has control characters in it'
  if (/[\u0100-\u{10ffff}]/u.test(user))
    return 'has characters beyond U+00FF, which no session policy may have'
  if (length(user) > max) return `is longer than the ${max} ${unit} that ${engine} allows`
  return undefined
}
