import { html, type SafeHtml } from '@remix-run/html-template'
import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import { type CompiledGrants, compileGrants } from '../../authorization/compiled-grants.ts'
import type { Config } from '../../config/config.ts'
import { JetonError, UsageError } from '../../errors.ts'
import { getOrCreate } from '../../lib/maps.ts'
import { explainAccess } from '../../vending/explained-access.ts'
import { parseQuestion } from '../explain-question.ts'
import { explanation, MAX_EXPLAINED_GRANTS } from '../explanation.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'

/** So many names are offered; others can be typed all the same. */
const MAX_OFFERED = 1000

/** Returns the page that says which grant somebody with given claims would get, or why none. */
export function explainPage({
  currentConfig,
  clock,
}: Pick<ConsoleParts, 'currentConfig' | 'clock'>): ConsolePage {
  const compiled = new WeakMap<Config, CompiledGrants>()

  function explained(form: URLSearchParams): SafeHtml {
    const config = currentConfig()
    const now = clock.now()
    const { at = now, given, issuerName, request } = parseQuestion(form)
    const access = explainAccess(given, {
      grants: getOrCreate(compiled, { key: config, create: () => compileGrants(config.grants) }),
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

  return {
    path: '/explain',
    title: 'Explain',
    description:
      'Which grant somebody with these claims would get from the configuration in use, or what each grant misses.',
    scripts: ['explain'],
    takesForm: true,
    render({ body }) {
      if (!(body instanceof URLSearchParams)) return page(currentConfig())
      try {
        return page(currentConfig(), explained(body))
      } catch (cause) {
        if (!(cause instanceof UsageError)) throw cause
        throw new JetonError('invalid_request', { publicMessage: cause.message })
      }
    },
  }
}

/** No field has a name and the button is off until the script is there: without it, nothing of the form can be sent. */
function page({ issuers, databases }: Config, explained?: SafeHtml): SafeHtml {
  const users = [...new Set(databases.flatMap(database => database.users))]
  return html`<form id="explain" class="explain" method="post" autocomplete="off">
<div class="field wide">
<label for="claims">Claims, as JSON or as a JWT</label>
<textarea id="claims" rows="10" spellcheck="false" autocomplete="off" autocapitalize="off" autocorrect="off" aria-describedby="claims-note"></textarea>
<p id="claims-note" class="note">A JWT loses its signature here, in this page, before anything is sent.</p>
<p id="claims-state" class="note" role="status"></p>
</div>
<div class="field">
<label for="issuer">Issuer</label>
<select id="issuer">
<option value="">by iss and aud</option>
${issuers.map(({ name }) => option(name))}${option(API_KEY_ISSUER)}</select>
</div>
<div class="field">
<label for="database">Database</label>
<input id="database" list="databases" autocomplete="off" placeholder="any">
<datalist id="databases">${offered(databases.map(({ name }) => name))}</datalist>
</div>
<div class="field">
<label for="user">Database user</label>
<input id="user" list="users" autocomplete="off" placeholder="any">
<datalist id="users">${offered(users)}</datalist>
</div>
<div class="field">
<label for="time">Time, where you are</label>
<input id="time" type="datetime-local" step="1" autocomplete="off">
</div>
<div class="actions"><button id="explain-button" type="submit" disabled>Explain</button></div>
<noscript><p class="problem">This page needs its script, which takes signatures out of JWTs: without it nothing can be sent. <code>jeton explain</code> does the same in a terminal.</p></noscript>
</form>
<section id="explained" aria-label="Explanation" tabindex="-1">${explained}</section>`
}

function offered(names: readonly string[]): SafeHtml[] {
  return names.slice(0, MAX_OFFERED).map(option)
}

function option(name: string): SafeHtml {
  return html`<option value="${name}">${name}</option>\n`
}
