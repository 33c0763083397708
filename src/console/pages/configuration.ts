import { html, type SafeHtml } from '@remix-run/html-template'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/config.ts'
import { placeText, problemText } from '../../config/problems.ts'
import { getOrCreate } from '../../lib/maps.ts'
import { databasesPart } from '../configuration/databases-part.ts'
import { grantMatrix, type MatrixFilter, type MatrixRow, matrixRows } from '../configuration/grant-matrix.ts'
import { issuersPart } from '../configuration/issuers-part.ts'
import { matrixPart } from '../configuration/matrix-part.ts'
import { processPart } from '../configuration/process-part.ts'
import { reloadPart } from '../configuration/reload-part.ts'
import { CONSOLE_PATH } from '../layout.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { activeFilters } from '../pieces/filter-links.ts'

const PATH = `${CONSOLE_PATH}/configuration`
const MAX_FILTER_LENGTH = 200
const MAX_WARNINGS = 100

type Parts = Pick<ConsoleParts, 'currentConfig' | 'replacedConfig' | 'readings' | 'clock'>

/** Returns the page of the configuration in use: who may have what, what the last reload changed, and whose keys count. */
export function configurationPage({ currentConfig, replacedConfig, readings, clock }: Parts): ConsolePage {
  const rowsOf = new WeakMap<Config, readonly MatrixRow[]>()

  return {
    path: '/configuration',
    title: 'Configuration',
    description: 'Who may have which database users by the configuration in use, and what it is made of.',
    render({ query }: FastifyRequest) {
      const config = currentConfig()
      const now = clock.now()
      const { page, ...filter } = parseQuery(query as Record<string, unknown>)
      const rows = getOrCreate(rowsOf, { key: config, create: () => matrixRows(config.grants) })
      const { warnings = [] } = config
      return html`<div class="cards">
<section id="reload" class="card" data-live aria-labelledby="reload-title">
<h2 id="reload-title">In use</h2>
${reloadPart({ config, replaced: replacedConfig(), reading: readings.configuration(), now })}
</section>
${section('Warnings', warningsPart(warnings))}
<section class="card" aria-labelledby="grants-title">
<h2 id="grants-title">Grants</h2>
${filterForm(config, filter)}
${activeFilters(PATH, { ...filter })}
${matrixPart({ matrix: grantMatrix(rows, { filter, page }), filter, path: PATH })}
</section>
<section class="card" aria-labelledby="issuers-title">
<h2 id="issuers-title">Issuers</h2>
<div id="issuer-keys" data-live>
${issuersPart(config.issuers, { readings: readings.issuerKeys(), now })}
</div>
</section>
${section('Databases', databasesPart(config.databases))}
${section('Store, audit log, operators and API keys', processPart(config))}</div>`
    },
  }
}

function section(title: string, content: SafeHtml | null): SafeHtml | null {
  return (
    content && html`<section class="card" aria-label="${title}">\n<h2>${title}</h2>\n${content}\n</section>`
  )
}

function parseQuery(query: Record<string, unknown>): MatrixFilter & { page: number } {
  const text = (name: string) => {
    const value = query[name]
    return typeof value === 'string' && value !== '' ? value.slice(0, MAX_FILTER_LENGTH) : undefined
  }
  const page = Number(text('page') ?? 1)
  return {
    issuer: text('issuer'),
    database: text('database'),
    principal: text('principal'),
    page: Number.isSafeInteger(page) ? page : 1,
  }
}

function filterForm({ issuers, databases, apiKeys }: Config, filter: MatrixFilter): SafeHtml {
  const names = [...issuers.map(({ name }) => name), ...(Object.keys(apiKeys).length > 0 ? ['apiKey'] : [])]
  return html`<form class="fields" method="get" action="${PATH}">
<div class="field"><label for="issuer">Issuer</label>
<select id="issuer" name="issuer"><option value="">any</option>${names.map(name => option(name, filter.issuer))}</select></div>
<div class="field"><label for="database">Database</label>
<select id="database" name="database"><option value="">any</option>${databases.map(({ name }) => option(name, filter.database))}</select></div>
<div class="field"><label for="principal">Part of a principal</label>
<input id="principal" name="principal" value="${filter.principal ?? ''}" maxlength="${MAX_FILTER_LENGTH}" autocomplete="off"></div>
<div class="actions"><button type="submit">Show</button></div>
</form>`
}

function option(name: string, selected: string | undefined): SafeHtml {
  return html`<option value="${name}"${name === selected ? html` selected` : null}>${name}</option>`
}

function warningsPart(warnings: NonNullable<Config['warnings']>): SafeHtml | null {
  if (warnings.length === 0) return null
  const more = warnings.length - MAX_WARNINGS
  return html`<ul class="warnings">
${warnings.slice(0, MAX_WARNINGS).map(warning => html`<li><span class="place">${placeText(warning)}</span> ${problemText(warning)}</li>\n`)}</ul>${more > 0 ? html`<p class="more">and ${more} more</p>` : null}`
}
