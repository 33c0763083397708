import { html, type SafeHtml } from '@remix-run/html-template'
import type { OperatorSpec } from '../../authorization/grant.ts'
import type { Config, SinkConfig, StoreConfig } from '../../config/config.ts'
import { escapeUnprintable } from '../../lib/printable.ts'
import { conditionTexts, timeTexts } from './grant-matrix.ts'

const MAX_KEYS = 200

type ProcessConfig = Pick<Config, 'store' | 'audit' | 'apiKeys' | 'operators'>

/** Returns what an instance is made of, who may open the console, and who has API keys by name: never a hash. */
export function processPart({ store, audit, apiKeys, operators = [] }: ProcessConfig): SafeHtml {
  const names = Object.entries(apiKeys).map(([name, hashes]) =>
    hashes.length === 1 ? name : `${name} (${hashes.length} keys)`,
  )
  const more = names.length - MAX_KEYS
  return html`<dl class="facts">
<div><dt>Store</dt><dd>${storeText(store)}</dd></div>
<div><dt>Audit log</dt><dd>${audit.map(sinkText).join('; ')}</dd></div>
<div><dt>Operators</dt><dd>${operators.length === 0 ? 'none' : operators.map(operatorPart)}</dd></div>
<div><dt>API keys</dt><dd>${names.length === 0 ? 'none' : names.slice(0, MAX_KEYS).join(', ')}${more > 0 ? ` and ${more} more` : ''}</dd></div>
</dl>`
}

function operatorPart({ name, principal, ...times }: OperatorSpec): SafeHtml {
  const facts = [...conditionTexts(principal), ...timeTexts(times)]
  return html`<div>${name}: ${principal.issuer}, ${escapeUnprintable(facts.join(', '))}</div>`
}

function storeText(store: StoreConfig): string {
  if (store.type === 'memory') return 'memory, of this instance alone'
  const { table, encryption } = store
  const keys = encryption.type === 'kms' ? 'by KMS' : 'by a key file'
  return `DynamoDB, table ${table}${regionText(store)}, encrypted ${keys}`
}

function sinkText(sink: SinkConfig): string {
  switch (sink.type) {
    case 'stdout':
      return 'standard output'
    case 'file':
      return `file ${sink.path}`
    case 'dynamodb':
      return `DynamoDB, table ${sink.table}${regionText(sink)}${sink.retentionDays === undefined ? '' : `, kept for ${sink.retentionDays} days`}`
  }
}

function regionText({ region }: { readonly region?: string }): string {
  return region === undefined ? '' : ` in ${region}`
}
