import type { Config } from '../src/config/config.ts'
import { ConfigError, type Problem } from '../src/config/problems.ts'

/**
 * Throws `ConfigError` where a configuration that is sound would not do what it says in this stack: the tables and the key
 * are the stack's own, its metrics are counted in what goes to stdout, and everything in the package can be read by who may
 * read the function.
 */
export function unfitFor({ server, store, audit }: Config): void {
  const problems: Problem[] = []
  const problem = (path: string, message: string) => void problems.push({ path, message })

  if (server.tls)
    problem('server.tls', 'has no use on Lambda: leave it out, or its key would be in the package')
  if (store.type === 'dynamodb') {
    const { region, encryption } = store
    if (region !== undefined) problem('store.region', 'leave it out: the table is made where the stack is')
    if (encryption.type === 'files')
      problem('store.encryption', 'give kmsKeyId: a key in a file would lie open in the package')
    else if (!encryption.kmsKeyId.startsWith('alias/'))
      problem('store.encryption.kmsKeyId', 'give alias/NAME: the stack makes the key, and this alias of it')
  }

  if (audit.some(({ type }) => type === 'file'))
    problem('audit', 'a file on Lambda is gone with its sandbox: give type dynamodb')
  const tables = audit.filter(log => log.type === 'dynamodb')
  if (tables.some(({ region }) => region !== undefined))
    problem('audit', 'leave region out: the table is made where the stack is')
  if (tables.length > 1) problem('audit', 'the stack makes one table of this type')
  if (!audit.some(({ type }) => type === 'stdout'))
    problem('audit', 'add { type: stdout }: metrics and alarms are counted in it')

  if (problems.length > 0) throw new ConfigError(problems)
}
