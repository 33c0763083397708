import { readFile } from 'node:fs/promises'

/** Where distributions keep the SQL that makes a new server's own tables, and the names it had over the years. */
const FOLDERS = ['/usr/share/mysql', '/usr/share/mariadb', '/usr/local/share/mysql', '/usr/local/mysql/share']
const PREFIXES = ['mysql', 'mariadb']

/**
 * The SQL that `mariadbd --bootstrap` needs for an empty data folder: what mariadb-install-db would run, which Debian keeps in
 * a package that also starts a server. Throws where the server's own files are not found.
 */
export async function systemTables(): Promise<string> {
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
  throw new Error("MariaDB's system tables are not found here")
}
