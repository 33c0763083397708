import { html, type SafeHtml } from '@remix-run/html-template'
import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import type { Config } from '../../config/config.ts'
import { JetonError, UsageError } from '../../errors.ts'
import { explainAccess } from '../../vending/explained-access.ts'
import { type ExplainPrefill, NO_PREFILL, prefillOf } from '../explain-prefill.ts'
import { parseQuestion } from '../explain-question.ts'
import { explanation, MAX_EXPLAINED_GRANTS } from '../explanation.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { timeAt } from '../pieces/time.ts'
import { findRecord } from '../records/find-record.ts'
import { RECORDS_URL } from '../records/record-links.ts'

/** So many names are offered; others can be typed all the same. */
const MAX_OFFERED = 1000

type ExplainPageParts = Pick<ConsoleParts, 'currentConfig' | 'currentGrants' | 'recentRecords' | 'clock'>

/** Returns the page that says which grant somebody with given claims would get, or why none. */
export function explainPage({
  currentConfig,
  currentGrants,
  recentRecords,
  clock,
}: ExplainPageParts): ConsolePage {
  function explained(form: URLSearchParams): SafeHtml {
    const config = currentConfig()
    const now = clock.now()
    const { at = now, given, issuerName, request } = parseQuestion(form)
    const access = explainAccess(given, {
      grants: currentGrants(),
      issuers: config.issuers,
      issuerName,
      issuerOption: 'the field Issuer',
      request,
      now,
      at,
      maxGrants: MAX_EXPLAINED_GRANTS,
    })
    return explanation(access, { total: config.grants.length })
  }

  async function prefill(query: unknown): Promise<ExplainPrefill> {
    const { record: id, at } = query as Readonly<Record<string, unknown>>
    return id === undefined ? NO_PREFILL : prefillOf(await findRecord(recentRecords, { id, at }))
  }

  return {
    path: '/explain',
    title: 'Explain',
    description:
      'Which grant somebody with these claims would get from the configuration in use, or what each grant misses.',
    scripts: ['explain'],
    takesForm: true,
    async render({ body, query }) {
      if (!(body instanceof URLSearchParams))
        return page(currentConfig(), { prefill: await prefill(query), now: clock.now() })
      try {
        return page(currentConfig(), { prefill: NO_PREFILL, now: clock.now(), explained: explained(body) })
      } catch (cause) {
        if (!(cause instanceof UsageError)) throw cause
        throw new JetonError('invalid_request', { publicMessage: cause.message })
      }
    },
  }
}

/** No field has a name and the button is off until the script is there: without it, nothing of the form can be sent. */
function page(
  { issuers, databases }: Config,
  { prefill, now, explained }: { prefill: ExplainPrefill; now: number; explained?: SafeHtml },
): SafeHtml {
  const users = [...new Set(databases.flatMap(database => database.users))]
  return html`<form id="explain" class="card fields" method="post" autocomplete="off">
<div class="field wide">
<label for="claims">Claims, as JSON or as a JWT</label>
<textarea id="claims" rows="10" spellcheck="false" autocomplete="off" autocapitalize="off" autocorrect="off" aria-describedby="claims-note">${prefill.claims}</textarea>
<p id="claims-note" class="note">A JWT loses its signature here, in this page, before anything is sent.</p>
${recordNote(prefill, now)}<p id="claims-state" class="note" role="status"></p>
</div>
<div class="field">
<label for="issuer">Issuer</label>
<select id="issuer">
<option value="">by iss and aud</option>
${[...issuers.map(({ name }) => name), API_KEY_ISSUER].map(name => option(name, name === prefill.issuer))}</select>
</div>
<div class="field">
<label for="database">Database</label>
<input id="database" value="${prefill.database}" list="database-names" autocomplete="off" placeholder="any">
<datalist id="database-names">${offered(databases.map(({ name }) => name))}</datalist>
</div>
<div class="field">
<label for="user">Database user</label>
<input id="user" value="${prefill.user}" list="user-names" autocomplete="off" placeholder="any">
<datalist id="user-names">${offered(users)}</datalist>
</div>
<div class="field">
<label for="time">Time, where you are</label>
<input id="time" type="datetime-local" step="1" autocomplete="off">
</div>
<div class="actions"><button id="explain-button" type="submit" disabled>Explain</button></div>
<noscript><p class="problem">This page needs its script, which takes signatures out of JWTs: without it nothing can be sent. <code>jeton explain</code> does the same in a terminal.</p></noscript>
</form>
<section id="explained" class="card" aria-label="Explanation" tabindex="-1">${explained}</section>`
}

function recordNote({ record }: ExplainPrefill, now: number): SafeHtml | null {
  if (!record) return null
  const link = html`<a href="${RECORDS_URL}/${encodeURIComponent(record.id)}">a record</a>`
  return html`<p class="note">Filled in from ${link}, ${timeAt(record.at, now)}, which has only those claims that grants named then. What is explained is the configuration of now.</p>
`
}

function offered(names: readonly string[]): SafeHtml[] {
  return names.slice(0, MAX_OFFERED).map(name => option(name, false))
}

function option(name: string, isSelected: boolean): SafeHtml {
  return html`<option value="${name}"${isSelected ? html` selected` : null}>${name}</option>\n`
}
