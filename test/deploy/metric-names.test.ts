import { describe, expect, test } from 'vitest'
import { queriesOf, readDashboard } from './board.ts'
import { readQuery } from './promql.ts'
import { registeredSeries } from './registered-metrics.ts'
import { isAlert, readRules } from './rules.ts'

/** What jeton registers and the board does not show, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  jeton_token_request_seconds_sum: 'an average hides those that wait',
  jeton_token_request_seconds_count: 'jeton_decisions_total counts them by more',
  jeton_audit_append_seconds_sum: 'an average hides those that wait',
  jeton_store_call_seconds_sum: 'an average hides those that wait',
  jeton_slot_wait_seconds_sum: 'an average hides those that wait',
  jeton_slot_wait_seconds_count: 'jeton_new_tokens_total counts them',
}

const known = registeredSeries()
const dashboard = await readDashboard()
const { groups } = await readRules()
const rules = groups.flatMap(each => each.rules)
const recorded = new Set(rules.flatMap(rule => (isAlert(rule) ? [] : [rule.record])))
const variables = dashboard.templating.list.flatMap(({ name, definition }) => {
  const [, expr, label] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? '') ?? []
  return expr === undefined ? [] : [{ of: `$${name}`, expr: `max by (${label}) (${expr})` }]
})
const queries = [
  ...queriesOf(dashboard),
  ...variables,
  ...rules.map(rule => ({ of: isAlert(rule) ? rule.alert : rule.record, expr: rule.expr })),
]

describe('deploy/grafana.json and deploy/prometheus-rules.yml', () => {
  test.each(queries)('$of names only metrics and labels that jeton registers', ({ expr }) => {
    const { selectors, grouping } = readQuery(expr)
    expect(selectors.length + Number(expr.startsWith('vector('))).toBeGreaterThan(0)
    const ownLabels = selectors.flatMap(({ metric, labels }) => {
      const has = labelsOf(metric)
      expect(has, metric).toEqual(expect.arrayContaining([...labels]))
      return has
    })
    expect(ownLabels).toEqual(expect.arrayContaining([...grouping]))
  })

  test('the board shows every metric of jeton, or says here why not', () => {
    const used = new Set(
      queriesOf(dashboard).flatMap(({ expr }) => readQuery(expr).selectors.map(({ metric }) => metric)),
    )
    const own = [...known.keys()].filter(name => name.startsWith('jeton_'))
    expect(own.length).toBeGreaterThan(20)
    expect(own.filter(name => !used.has(name)).toSorted()).toEqual(Object.keys(NOT_SHOWN).toSorted())
  })

  test('every recording rule is used', () => {
    const used = rules.flatMap(({ expr }) => readQuery(expr).selectors.map(({ metric }) => metric))
    expect(used).toEqual(expect.arrayContaining([...recorded]))
  })
})

/** The labels of a metric; of a recorded one, those of all that it is made of. */
function labelsOf(metric: string): readonly string[] {
  const rule = rules.find(each => !isAlert(each) && each.record === metric)
  if (rule) return readQuery(rule.expr).selectors.flatMap(each => labelsOf(each.metric))
  const labels = known.get(metric)
  if (labels === undefined) throw new Error(`jeton has no metric ${metric}`)
  return labels
}
