import { readFile } from 'node:fs/promises'

/** Where distributions keep the SQL of a new server's own tables, and the names it has had. */
const FOLDERS = ['/usr/share/mysql', '/usr/share/mariadb', '/usr/local/share/mysql', '/usr/local/mysql/share']
const PREFIXES = ['mysql', 'mariadb']

/**
 * Returns the SQL that `mariadbd --bootstrap` needs for an empty data folder. mariadb-install-db would run it, but Debian has
 * that in a package that also starts a server. Throws if the files are not found.
 */
export async function readSystemTables(): Promise<string> {
  const paths = FOLDERS.flatMap(folder => PREFIXES.map(prefix => `${folder}/${prefix}_system_tables`))
  for (const path of paths) {
    const parts = await Promise.all(
      [`${path}.sql`, `${path}_data.sql`].map(file => readFile(file, 'utf8').catch(() => undefined)),
    )
    if (!parts.includes(undefined))
      return [
        'create database if not exists mysql;',
        'use mysql;',
        'set @auth_root_socket=NULL;',
        ...parts,
      ].join('\n')
  }
  throw new Error(`MariaDB's ${PREFIXES[0]}_system_tables.sql is in none of ${FOLDERS.join(', ')}`)
}
