import { html, type SafeHtml } from '@remix-run/html-template'
import type { Address, Database } from '../../rds/database.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { type Column, table } from '../pieces/table.ts'

const MAX_DATABASES = 200
const MAX_USERS = 20
/** More are closed. */
const MAX_OPEN = 12

/** Returns the databases, without what only AWS has to know of their roles; if they are many, closed until they are asked for. */
export function databasesPart(databases: readonly Database[]): SafeHtml {
  const all = databasesTable(databases)
  if (databases.length <= MAX_OPEN) return all
  return html`<details>\n<summary>All ${databases.length.toLocaleString('en')}</summary>\n${all}\n</details>`
}

function databasesTable(databases: readonly Database[]): SafeHtml {
  return table({
    caption: 'Databases',
    columns: COLUMNS,
    rows: databases.slice(0, MAX_DATABASES),
    more: databases.length - MAX_DATABASES,
    empty: emptyState('There are no databases.'),
  })
}

const COLUMNS: readonly Column<Database>[] = [
  { heading: 'Database', cell: ({ name }) => name },
  { heading: 'Engine', cell: ({ engine }) => engine },
  {
    heading: 'Endpoint',
    cell: ({ connect, ...endpoint }) =>
      `${addressText(endpoint)}${connect === undefined ? '' : `, reached at ${addressText(connect)}`}`,
  },
  { heading: 'Resource', cell: ({ resourceId }) => resourceId },
  { heading: 'Role', cell: ({ roleArn }) => roleArn },
  { heading: 'Users', cell: ({ users }) => usersText(users) },
  { heading: 'New tokens a second', isNumber: true, cell: ({ newTokensPerSecond }) => newTokensPerSecond },
]

function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function usersText(users: readonly string[]): string {
  const more = users.length - MAX_USERS
  return `${users.slice(0, MAX_USERS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
