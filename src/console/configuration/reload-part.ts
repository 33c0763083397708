import { html, type SafeHtml } from '@remix-run/html-template'
import { configChanges, type GrantChanges, type NameChanges } from '../../config/changes.ts'
import type { Config } from '../../config/config.ts'
import type { ConfigurationReading } from '../../telemetry/readings.ts'
import { timeAt } from '../pieces/time.ts'

export interface ReloadPart {
  readonly config: Config
  /** The configuration before it. */
  readonly replaced: Config | undefined
  readonly reading: ConfigurationReading
  readonly now: number
}

/** Returns since when the configuration is in use, by which file, what it changed, and whether a later one was refused. */
export function reloadPart({ config, replaced, reading, now }: ReloadPart): SafeHtml {
  const { loadedAt, lastReload } = reading
  const isRefused = lastReload?.isOk === false
  const files = Object.entries(config.origin.files)
  return html`${
    isRefused
      ? html`<p class="problem">The last reload, ${timeAt(lastReload.at, now)}, was refused: the configuration before it stays in use until its problems are fixed. They are in the program’s log, under <code>configuration_broken</code>.</p>`
      : null
  }<dl class="facts">
<div><dt>In use since</dt><dd>${timeAt(loadedAt, now)}${replaced === undefined ? ', from the start' : ', by a reload'}</dd></div>
<div><dt>SHA-256</dt><dd><code>${config.origin.sha256}</code></dd></div>
${replaced === undefined ? null : html`<div><dt>Before</dt><dd><code>${replaced.origin.sha256}</code></dd></div>\n`}${files.map(([path, sha256]) => html`<div><dt>${path}</dt><dd><code>${sha256}</code></dd></div>\n`)}${replaced === undefined ? null : html`<div><dt>Changed</dt><dd>${changesText(replaced, config)}</dd></div>\n`}</dl>`
}

function changesText(before: Config, after: Config): SafeHtml {
  const { issuers, apiKeys, databases, grants, sections = [] } = configChanges(before, after)
  const lists = [
    ...listsOf('grants', grants),
    ...listsOf('databases', databases),
    ...listsOf('issuers', issuers),
    ...listsOf('API keys', apiKeys),
    ...(sections.length > 0 ? [`${sections.join(', ')}: some of it only at the next start`] : []),
  ]
  if (lists.length === 0) return html`nothing that can be named`
  return html`<ul class="changes">\n${lists.map(text => html`<li>${text}</li>\n`)}</ul>`
}

function listsOf(what: string, changes: (NameChanges & GrantChanges) | undefined): string[] {
  const { added = [], removed = [], changed = [], omitted = 0, reordered } = changes ?? {}
  const named = (verb: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what} ${verb}: ${names.join(', ')}`]
  return [
    ...named('added', added),
    ...named('removed', removed),
    ...named('changed', changed),
    ...(omitted > 0 ? [`${what}: and ${omitted} more`] : []),
    ...(reordered ? [`${what} in another order: of several that allow a request, the first counts`] : []),
  ]
}
