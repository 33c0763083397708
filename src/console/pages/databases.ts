import { html } from '@remix-run/html-template'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'

/** Returns the page of each RDS resource's new tokens. */
export function databasesPage({ readings }: Pick<ConsoleParts, 'readings'>): ConsolePage {
  return {
    path: '/databases',
    title: 'Databases',
    description: 'New tokens a second, and how near they are to the limits of jeton and of RDS.',
    render: () => html`<table>
<thead><tr><th scope="col">Resource</th><th scope="col">Databases</th><th scope="col">New tokens a second at most</th></tr></thead>
<tbody>
${readings.rates().map(({ resource, databases, perSecond }) => html`<tr><td>${resource}</td><td>${databases.join(', ')}</td><td>${perSecond}</td></tr>\n`)}</tbody>
</table>`,
  }
}
