import type { Config } from '../src/config/config.ts'
import { ConfigError, type Problem } from '../src/config/problems.ts'

/**
 * Throws `ConfigError` with everything in a sound configuration that this stack would not honour: it creates the tables and
 * the key itself, counts its metrics in what goes to stdout, and everyone with access to the function can read its package.
 */
export function checkDeployable({ server, store, audit }: Config): void {
  const problems: Problem[] = []
  const problem = (path: string, message: string) => void problems.push({ path, message })

  if (server.tls)
    problem('server.tls', 'is not used on Lambda: leave it out, or its key would be in the package')
  if (server.admin?.tls)
    problem('server.admin.tls', 'is not used on Lambda: leave it out, or its key would be in the package')
  if (store.type === 'dynamodb') {
    const { region, encryption } = store
    if (region !== undefined)
      problem('store.region', 'leave it out: the stack creates the table in its own region')
    if (encryption.type === 'files')
      problem('store.encryption', 'give kmsKeyId: a key file would be readable in the package')
    else if (!encryption.kmsKeyId.startsWith('alias/'))
      problem('store.encryption.kmsKeyId', 'give alias/NAME: the stack creates the key and this alias for it')
  }

  if (audit.some(({ type }) => type === 'file'))
    problem('audit', 'a file on Lambda is lost with its execution environment: give type dynamodb')
  const tables = audit.filter(sink => sink.type === 'dynamodb')
  if (tables.some(({ region }) => region !== undefined))
    problem('audit', 'leave region out: the stack creates the table in its own region')
  if (tables.length > 1) problem('audit', 'the stack creates only one table of this type')
  if (!audit.some(({ type }) => type === 'stdout'))
    problem('audit', 'add { type: stdout }: metrics and alarms are counted in it')

  if (problems.length > 0) throw new ConfigError(problems)
}
