import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

/** A rule of `deploy/prometheus-rules.yml`. */
export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>
}

export interface RuleGroups {
  readonly groups: readonly {
    readonly name: string
    readonly rules: readonly (RecordingRule | AlertRule)[]
  }[]
}

export const RULES_FILE = new URL('../../deploy/prometheus-rules.yml', import.meta.url)

/** Reads the file of rules; checks nothing of it. */
export async function readRules(): Promise<RuleGroups> {
  return parse(await readFile(RULES_FILE, 'utf8'))
}

export const isAlert = (rule: RecordingRule | AlertRule): rule is AlertRule => 'alert' in rule
