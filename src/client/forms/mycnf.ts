import { failure } from '../errors.ts'
import { mysqlOptions } from '../mysql-options.ts'
import type { Form } from './form.ts'

/**
 * An option file for the clients of the engine: MariaDB's for `mariadb`, and for `mysql` those of MySQL, whose options MariaDB's
 * clients know too, with warnings. A client of the other family refuses to start, or to send the token.
 */
export const mycnfForm: Form = {
  refersToCa: true,
  family: 'mysql',
  render({ reply, caFile, connectAddress }) {
    if (caFile === undefined)
      throw failure('-o mycnf needs a CA bundle, or clients could not check the server')
    const { mariadb, mysql } = mysqlOptions({ reply, caFile, connectAddress, password: reply.token })
    return `# contains a password: let nobody else read this file\n${reply.engine === 'mariadb' ? mariadb : mysql}`
  },
}
